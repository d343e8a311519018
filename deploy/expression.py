"""Find what a PromQL expression refers to: its series, and the labels by which it selects and groups them."""

import re
from dataclasses import dataclass

import promql_parser  # type: ignore[import-not-found]  # only in .venv-deploy

# The labels that Prometheus and its operator add to each series of a target, and to each alert.
TARGET_LABELS = {"job", "instance", "namespace", "pod"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A series in an expression, the labels that the expression uses, and the patterns that it matches labels with."""

    series: str
    labels: frozenset[str]
    patterns: frozenset[tuple[str, str]]


def parse(expression: str) -> set[Wanted]:
    """Return what an expression refers to; the labels that an aggregation groups by count for each series in it.

    Raises:
        ValueError: it is not PromQL; the message says where.
    """
    wanted: set[Wanted] = set()
    groups: list[set[str]] = []

    def enter(node: object) -> None:
        if isinstance(node, promql_parser.AggregateExpr):
            groups.append(set(node.modifier.labels) if node.modifier else set())
        elif isinstance(node, promql_parser.VectorSelector):
            matchers = node.matchers.matchers
            picked = {matcher.name for matcher in matchers}
            patterns = {(each.name, each.value) for each in matchers if each.op == promql_parser.MatchOp.Re}
            patterns |= {
                (each.name, re.escape(each.value)) for each in matchers if each.op == promql_parser.MatchOp.Equal
            }
            wanted.add(Wanted(node.name or "", frozenset(picked.union(*groups)), frozenset(patterns)))

    def leave(node: object) -> None:
        if isinstance(node, promql_parser.AggregateExpr):
            groups.pop()

    promql_parser.walk(promql_parser.parse(expression), enter, leave)
    return wanted


def find_faults(expression: str, known: dict[str, list[str]], values: dict[str, list[str]]) -> list[str]:
    """Describe everything that an expression refers to and nothing exports.

    Args:
        expression: PromQL.
        known: the labels of each series, by its name.
        values: all possible values of some labels, by the label's name.
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
        for label, pattern in sorted(each.patterns):
            if label in values and not _has_values(pattern, values[label]):
                faults.append(f"{each.series} never has the {label} {pattern}, or a part of it: {expression}")
    return faults


def _has_values(pattern: str, values: list[str]) -> bool:
    """Return whether each top-level alternative of a pattern matches a value; those in brackets are not split."""
    alternatives = re.split(r"\|(?![^(]*\))", pattern)
    return all(any(re.fullmatch(each, value) for value in values) for each in alternatives)
