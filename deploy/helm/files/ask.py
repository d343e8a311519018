# ruff: noqa: INP001 - a single file that the chart ships
"""Check that each path and GraphQL answer with a key, and refuse without one; `helm test` runs this in the image.

Arguments: host, port, the file of a key with transactions:read, and the file of a key with metrics:read.
"""

import json
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

_PATIENCE_SECONDS = 60
_QUERY = "{ transactions(filter: {days: 1}, first: 1) { totalCount nodes { id cardNumber } } }"


def _ask(host: str, port: int, path: str, key: str | None = None, body: str | None = None) -> tuple[int, str]:
    caller = HTTPConnection(host, port, timeout=10)
    headers = {"Content-Type": "application/json"} if body else {}
    if key:
        headers["X-API-Key"] = key
    try:
        caller.request("POST" if body else "GET", path, body, headers)
        answer = caller.getresponse()
        return answer.status, answer.read().decode()
    finally:
        caller.close()


def _is_list(text: str) -> bool:
    rows = json.loads(text)
    return isinstance(rows, list) and all(row["cardNumber"].startswith("*") for row in rows)


def _is_graphql(text: str) -> bool:
    answer: dict[str, Any] = json.loads(text)
    return "errors" not in answer and answer["data"]["transactions"]["totalCount"] >= 0


def main(host: str, port: str, key_file: str, metrics_key_file: str) -> None:
    """Send each request, print the result of each, and exit with 1 if any is wrong."""
    key, metrics_key = (Path(name).read_text().strip() for name in (key_file, metrics_key_file))
    # A NetworkPolicy may take some seconds to let a new pod connect.
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            if _ask(host, int(port), "/health/ready")[0] == 200:  # noqa: PLR2004 - HTTP's
                break
        except (OSError, HTTPException):
            pass
        if time.monotonic() > deadline:
            sys.exit(f"{host}:{port} is not ready after {_PATIENCE_SECONDS} s")
        time.sleep(1)
    questions: list[tuple[str, str | None, str | None, int, Callable[[str], bool]]] = [
        ("/transactions/1?limit=1", key, None, 200, _is_list),
        ("/transactions/1/card/Visa", key, None, 200, lambda text: json.loads(text)["count"] >= 0),
        ("/transactions/1/country/US?limit=1", key, None, 200, _is_list),
        ("/transactions/1/amount/100.00/999.00?limit=1", key, None, 200, _is_list),
        ("/graphql", key, json.dumps({"query": _QUERY}), 200, _is_graphql),
        ("/metrics", metrics_key, None, 200, lambda text: "gateway_build_info{" in text),
        ("/transactions/1", None, None, 401, lambda text: json.loads(text)["code"] == "UNAUTHENTICATED"),
        ("/transactions/1", metrics_key, None, 403, lambda text: json.loads(text)["code"] == "FORBIDDEN"),
    ]
    faults = 0
    for path, used, body, status, is_right in questions:
        answered, text = _ask(host, int(port), path, used, body)
        is_fine = answered == status and is_right(text)
        faults += not is_fine
        print(f"{'ok' if is_fine else 'FAULT'} {answered} {path}" + ("" if is_fine else f"\n{text[:500]}"))  # noqa: T201 - the pod's log
    sys.exit(faults > 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
