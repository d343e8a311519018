"""Check that a real Prometheus scrapes a real gateway with its key, and evaluates each rule and each panel's query."""

import json
from typing import Any
from urllib.parse import quote

import yaml

from deploy.checks import CheckError
from deploy.checks.metrics import find_dashboard_expressions
from deploy.checks.promtool import MONITORING, get_promtool
from deploy.stand import Stand, await_answer, find_port, open_gateway, read, run_process


def run() -> int:
    """Run both, with the configuration of compose except for addresses, paths and intervals.

    Raises:
        CheckError: the gateway is not scraped, or a rule or panel cannot be evaluated.
    """
    program = get_promtool().with_name("prometheus")
    port = find_port()
    with open_gateway() as stand:
        config = stand.folder / "prometheus.yml"
        config.write_text(yaml.safe_dump(_build_config(stand)))
        options = (f"--config.file={config}", f"--storage.tsdb.path={stand.folder / 'series'}")
        command = (program, *options, f"--web.listen-address=127.0.0.1:{port}")
        with run_process(*command, folder=stand.folder) as process:
            await_answer(process, lambda: bool(_query(port, "up == 1")))
            await_answer(process, lambda: "unknown" not in {rule["health"] for rule in _load_rules(port)})
            rules = _load_rules(port)
            faults = [f"{rule['name']}: {rule.get('lastError')}" for rule in rules if rule["health"] != "ok"]
            panels = [expression.replace("$namespace", ".*") for expression in find_dashboard_expressions()]
            faults += [f"Prometheus does not answer {panel}" for panel in panels if _query(port, panel) is None]
    if faults:
        raise CheckError("\n".join(faults))
    return 1 + len(rules) + len(panels)


def _build_config(stand: Stand) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(MONITORING / "rules.yaml")]
    job = config["scrape_configs"][0]
    job["authorization"]["credentials_file"] = str(stand.folder / "metrics")
    job["static_configs"][0]["targets"] = [f"127.0.0.1:{stand.port}"]
    return config


def _query(port: int, expression: str) -> list[Any] | None:
    """Return the current series of an expression, or None if Prometheus cannot evaluate it."""
    text = read(port, f"/api/v1/query?query={quote(expression)}")
    found: list[Any] | None = json.loads(text)["data"]["result"] if text else None
    return found


def _load_rules(port: int) -> list[dict[str, Any]]:
    text = read(port, "/api/v1/rules")
    return [rule for group in json.loads(text)["data"]["groups"] for rule in group["rules"]] if text else []
