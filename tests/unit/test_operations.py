"""docs/operations.md documents everything that can be observed, and nothing else."""

import re
from pathlib import Path

from gateway import metrics
from gateway.observation import REQUEST_FIELDS
from gateway.problems import PROBLEMS
from gateway.slow_query import SLOW_QUERY_FIELDS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/operations.md").read_text()
# The parts that the deployment was required to have.
PARTS = (
    *(
        "VPC",
        "subnets",
        "NAT",
        "ECR",
        "Atlas",
        "EKS",
        "Fargate or nodes",
        "Ingress",
        "Route 53",
        "Lambda",
        "API Gateway",
    ),
    *("Secrets Manager or Vault", "Terragrunt environments", "Helm", "HPA", "CI/CD", "tfsec", "tflint", "checkov"),
    *("Monitoring", "Least IAM"),
)


def read_table(head: str) -> list[list[str]]:
    """Return the rows of the tables that begin with this header cell, cell by cell."""
    tables = re.findall(rf"^\| {re.escape(head)} .*\n\| ---.*\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    assert tables
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in "".join(tables).splitlines()]


def list_quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_metric_is_documented() -> None:
    """The table of metrics lists each metric with its type and labels, in the words of its help text."""
    documented = {
        list_quoted(name)[0]: (kind, list_quoted(labels), meaning)
        for name, kind, labels, meaning in read_table("metric")
    }
    declared: dict[str, tuple[str, list[str], str]] = {}
    for collector in metrics.DECLARED:
        name = collector._name + ("_total" if collector._type == "counter" else "")  # noqa: SLF001 - no public names
        declared[name] = (collector._type, list(collector._labelnames), collector._documentation)  # noqa: SLF001 - as above
    assert documented.keys() == declared.keys()
    for name, (kind, labels, help_text) in declared.items():
        assert documented[name][:2] == (kind, labels)
        assert documented[name][2].startswith(help_text[0].lower() + help_text[1:].rstrip("."))


def test_every_field_of_a_line_is_documented() -> None:
    """The tables of log fields list those of requests and slow queries, and the few that any line may have."""
    documented = [list_quoted(row[0])[0] for row in read_table("field")]
    common = ["time", "level", "event"]
    any_line = ["request_id", "error", "place", "logger"]
    assert documented == [*common, *REQUEST_FIELDS, *any_line, *SLOW_QUERY_FIELDS]


def test_named_codes_exist() -> None:
    """Each code in capitals on the page is in the table of problems or is a variable."""
    for word in re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", TEXT):
        assert word in PROBLEMS or word.startswith(("GATEWAY_", "OTEL_"))
    assert "`DRAINING`" in TEXT


def test_each_part_of_the_deployment_has_its_file() -> None:
    """Each required part of the deployment has a row, and each row links to existing files."""
    rows = read_table("part")
    named = [name for part, _ in rows for name in part.split(", ")]
    assert set(PARTS) <= set(named)
    for part, files in rows:
        links = re.findall(r"\]\(([^)#]+)", files)
        assert links, part
        for link in links:
            assert (ROOT / "docs" / link).exists(), link


def test_each_alert_and_alarm_is_explained() -> None:
    """The tables of alerts and CloudWatch alarms list exactly those that exist, alerts with their severity."""
    rules = (ROOT / "deploy/monitoring/rules.yaml").read_text()
    alerts = re.findall(r"- alert: (\w+)\n.*?severity: (\w+)", rules, re.DOTALL)
    assert [row[0] for row in read_table("alert")] == [f"`{name}` ({severity})" for name, severity in alerts]
    module = (ROOT / "deploy/terraform/modules/observability/main.tf").read_text()
    alarms = re.findall(r"^    \"?(\w+)\"? += \{ (?:namespace|pattern) =", module, re.MULTILINE)
    assert sorted(row[0] for row in read_table("alarm")) == sorted(f"`{name}`" for name in alarms)
