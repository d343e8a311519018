"""What an expression of PromQL asks for: the series, and the labels by which it picks and groups them."""

from dataclasses import dataclass

import promql_parser  # type: ignore[import-not-found]  # in .venv-deploy alone

# What Prometheus and its operator add to each series of a target, and to each alert.
TARGET_LABELS = {"job", "instance", "namespace", "pod"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A series that an expression asks for, and the labels that it looks at."""

    series: str
    labels: frozenset[str]


def parse(expression: str) -> set[Wanted]:
    """Give what an expression asks for; what an aggregation groups by is asked of each series in it.

    Raises:
        ValueError: it is not PromQL; the message says where.
    """
    wanted: set[Wanted] = set()
    groups: list[set[str]] = []

    def enter(node: object) -> None:
        if isinstance(node, promql_parser.AggregateExpr):
            groups.append(set(node.modifier.labels) if node.modifier else set())
        elif isinstance(node, promql_parser.VectorSelector):
            picked = {matcher.name for matcher in node.matchers.matchers}
            wanted.add(Wanted(node.name or "", frozenset(picked.union(*groups))))

    def leave(node: object) -> None:
        if isinstance(node, promql_parser.AggregateExpr):
            groups.pop()

    promql_parser.walk(promql_parser.parse(expression), enter, leave)
    return wanted


def find_faults(expression: str, known: dict[str, list[str]]) -> list[str]:
    """Give what an expression asks for and nothing exports.

    Args:
        expression: PromQL.
        known: the labels of each series, by its name.
    """
    try:
        wanted = parse(expression)
    except ValueError as error:
        return [f"{expression}: {error}"]
    faults = []
    for each in sorted(wanted, key=lambda item: item.series):
        if each.series not in known:
            faults.append(f"{each.series or 'a series without a name'} is not exported: {expression}")
        elif unknown := each.labels - TARGET_LABELS - set(known[each.series]):
            faults.append(f"{each.series} has no label {', '.join(sorted(unknown))}: {expression}")
    return faults
