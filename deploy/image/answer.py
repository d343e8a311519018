"""Check that the paths, GraphQL, metrics and pages answer, and that Prometheus and Grafana are set up."""

import json
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

from deploy.chart import CHART
from deploy.image.fact import prove
from deploy.image.site import Site
from deploy.stand import read
from deploy.tool import require

_QUESTIONS = 8
_PAGES = ("/", "/docs", "/graphql")
_PATIENCE_SECONDS = 60
_OK = 200


def check_answers(site: Site) -> Iterator[str]:
    """Prove that the four paths, GraphQL and metrics pass the test of `helm test`, and that each page exists."""
    keys = (site.folder / "transactions", site.folder / "metrics")
    # A running gateway picks up a new key within a second.
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while _ask(site.port, "/transactions/1/card/Visa", keys[0])[0] != _OK and time.monotonic() < deadline:
        time.sleep(0.2)
    answered = require(sys.executable, CHART / "files/ask.py", "127.0.0.1", str(site.port), *keys)
    yield from prove((answered.count("ok ") == _QUESTIONS, f"all of\n{answered} is as it should be"))
    yield from answered.splitlines()
    _, text = _ask(site.port, "/transactions/90/card/Visa", keys[0])
    yield from prove((json.loads(text)["count"] > 0, "the database has transactions"))
    for page in _PAGES:
        status, text = _ask(site.port, page)
        yield from prove((status == _OK and "<html" in text, f"{page} is a page: {status}"))


def _ask(port: int, path: str, key_file: Path | None = None) -> tuple[int, str]:
    caller = HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Accept": "application/json" if key_file else "text/html"}
    if key_file:
        headers["X-API-Key"] = key_file.read_text().strip()
    try:
        caller.request("GET", path, headers=headers)
        answer = caller.getresponse()
        return answer.status, answer.read().decode()
    finally:
        caller.close()


def check_monitoring(site: Site) -> Iterator[str]:
    """Prove that Prometheus scrapes the gateway with its key and evaluates each rule, and Grafana has the dashboard."""
    deadline = time.monotonic() + 2 * _PATIENCE_SECONDS
    while True:
        found = json.loads(read(site.prometheus_port, "/api/v1/query?query=up") or "{}")
        rules = json.loads(read(site.prometheus_port, "/api/v1/rules") or "{}")
        states = [rule["health"] for group in rules.get("data", {}).get("groups", []) for rule in group["rules"]]
        is_up = [each["value"][1] for each in found.get("data", {}).get("result", [])] == ["1"]
        if (is_up and states and "unknown" not in states) or time.monotonic() > deadline:
            break
        time.sleep(1)
    yield from prove((is_up, "Prometheus scrapes the gateway"), (states, "Prometheus has the rules"))
    yield from prove(*((state == "ok", f"rule {number} is evaluated: {state}") for number, state in enumerate(states)))
    if site.has_grafana:
        board = read(site.grafana_port, "/api/dashboards/uid/transactions-gateway")
        yield from prove((board, "Grafana has the dashboard"))
