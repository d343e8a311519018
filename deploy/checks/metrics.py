"""Check that rules, dashboard and autoscaler use only exported metrics, and each alert has tests and documentation."""

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml
from grafana_foundation_sdk.models.dashboard import Dashboard  # type: ignore[import-not-found]  # only in .venv-deploy

from deploy.chart import ENVIRONMENTS, RELEASES, load_resources
from deploy.checks import CheckError
from deploy.checks.promtool import MONITORING
from deploy.exported import load_exported
from deploy.expression import find_faults
from deploy.tool import ROOT

# Wrong expressions: if one of these were accepted, the check would prove nothing.
_FALSE = (
    "rate(gateway_requests_seen_total[5m])",
    "gateway_requests_total_bucket",
    'gateway_requests_total{path="/graphql"}',
    "sum by (route) (gateway_errors_total)",
    "sum by (namespace) (up",
    'gateway_errors_total{code="DATABASE_AWAY"}',
    'gateway_errors_total{code=~"DATABASE_REFUSED|DATABASE_AWAY"}',
    'gateway_requests_total{route=~"/transaction/.+"}',
    '{job="gateway"}',
)


def run() -> int:
    """Compare each expression with what is exported.

    Raises:
        CheckError: an expression uses what nothing exports, an alert has no test or documentation, a metric no panel.
    """
    exported, values = load_exported()["series"], load_exported()["values"]
    rules = [rule for group in _load("rules.yaml")["groups"] for rule in group["rules"]]
    recorded = {rule["record"]: ["namespace"] for rule in rules if "record" in rule}
    known = {**exported, **recorded, "up": []}
    expressions = [rule["expr"] for rule in rules] + list(find_dashboard_expressions()) + list(_find_scaling_metrics())
    faults = [fault for expression in expressions for fault in find_faults(expression, known, values)]
    faults += [
        f"{expression} was taken for right" for expression in _FALSE if not find_faults(expression, known, values)
    ]
    alerts = [rule["alert"] for rule in rules if "alert" in rule]
    faults += [*_find_untold(alerts), *_find_unseen(exported)]
    if faults:
        raise CheckError("\n".join(faults))
    return len(expressions) + len(_FALSE) + 3 * len(alerts)


def _load(name: str) -> Any:  # noqa: ANN401 - YAML may hold anything
    return yaml.safe_load((MONITORING / name).read_text())


def find_dashboard_expressions() -> Iterator[str]:
    """Yield the expressions of each panel; Grafana's own SDK must be able to parse the dashboard."""
    text = (MONITORING / "grafana/dashboard.json").read_text()
    Dashboard.from_json(json.loads(text))
    for panel in json.loads(text)["panels"]:
        for target in panel["targets"]:
            yield target["expr"].replace("$__rate_interval", "5m")


def _find_scaling_metrics() -> Iterator[str]:
    """Yield the metrics that the autoscaler reads and the queries that the adapter provides them by."""
    for rule in _load("adapter.yaml")["rules"]["custom"]:
        yield rule["seriesQuery"]
        query = rule["metricsQuery"].replace("<<.Series>>", rule["name"]["as"])
        yield query.replace("<<.GroupBy>>", "namespace, pod").replace("<<.LabelMatchers>>", 'namespace="a"')
    for release in RELEASES:
        for resource in load_resources(release) if release.name in ENVIRONMENTS else ():
            if resource["kind"] == "HorizontalPodAutoscaler":
                yield from (each["pods"]["metric"]["name"] for each in resource["spec"]["metrics"] if "pods" in each)


def _find_untold(alerts: list[str]) -> Iterator[str]:
    tests = [each for test in _load("rules_test.yaml")["tests"] for each in test.get("alert_rule_test", ())]
    fired = {each["alertname"] for each in tests if each.get("exp_alerts")}
    quiet = {each["alertname"] for each in tests if not each.get("exp_alerts")}
    told = set(re.findall(r"^\| `(\w+)`", (ROOT / "docs/operations.md").read_text(), re.MULTILINE))
    yield from (f"{alert} has no test in which it fires" for alert in alerts if alert not in fired)
    yield from (f"{alert} has no test in which it keeps still" for alert in alerts if alert not in quiet)
    yield from (f"{alert} has no row in docs/operations.md" for alert in alerts if alert not in told)


def _find_unseen(exported: dict[str, list[str]]) -> Iterator[str]:
    shown = "\n".join(find_dashboard_expressions())
    for series in exported:
        family = re.sub(r"_(bucket|sum|count)$", "", series)
        if family not in shown:
            yield f"{family} has no panel in grafana/dashboard.json"
