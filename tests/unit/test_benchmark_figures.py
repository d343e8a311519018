"""How benchmarks compare their figures, and how table and picture show them."""

import re
from dataclasses import replace
from functools import partial
from io import StringIO
from itertools import pairwise
from statistics import median
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from benchmarks.failover import Answer, Report
from benchmarks.measure import Bound, Comparison, Series, Unit, measure_in_turns
from benchmarks.picture import build_picture
from benchmarks.table import build_markdown, build_page, build_table

figures = st.floats(0.01, 100_000)
texts = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1)
all_series = st.builds(Series, texts, st.lists(figures, min_size=1, max_size=9))
bounds = st.builds(Bound, figures, st.booleans())
comparisons = st.builds(Comparison, texts, st.sampled_from(Unit), all_series, all_series, st.none() | bounds)


@given(comparisons)
def test_a_ratio_is_of_medians_and_above_one_where_ours_is_better(comparison: Comparison) -> None:
    """The ratio of medians exceeds 1 exactly where our median is better; a bound on being worse inverts it."""
    ours, theirs = median(comparison.ours.values), median(comparison.theirs.values)
    is_better = ours > theirs if comparison.unit is Unit.RATE else ours < theirs
    assert (replace(comparison, bound=None).ratio > 1) == is_better
    turned = replace(comparison, bound=Bound(1, is_worse=True))
    assert turned.ratio == pytest.approx(1 / replace(comparison, bound=None).ratio)


@given(comparisons)
def test_a_bound_holds_on_its_own_side(comparison: Comparison) -> None:
    """A comparison holds if the ratio is at least the bound, or at most if it bounds a loss."""
    if comparison.bound is None:
        assert comparison.holds is None
    elif comparison.bound.is_worse:
        assert comparison.holds == (comparison.ratio <= comparison.bound.factor)
    else:
        assert comparison.holds == (comparison.ratio >= comparison.bound.factor)


@given(st.integers(1, 6), st.integers(1, 5))
def test_each_takes_its_turn_in_every_round(programs: int, rounds: int) -> None:
    """Every program is measured once per round, in an order that is reversed each round."""
    taken: list[str] = []

    def measure(name: str) -> float:
        taken.append(name)
        return len(taken)

    names = [str(number) for number in range(programs)]
    series = measure_in_turns({name: partial(measure, name) for name in names}, rounds)
    turns = [taken[start : start + programs] for start in range(0, len(taken), programs)]
    assert len(turns) == rounds
    assert all(sorted(turn) == sorted(names) for turn in turns)
    assert all(turn == before[::-1] for before, turn in pairwise(turns))
    assert all(len(each.values) == rounds for each in series.values())


@given(st.lists(comparisons, min_size=1, max_size=5))
def test_the_picture_is_well_formed_whatever_it_shows(shown: list[Comparison]) -> None:
    """The SVG is well-formed XML with a title, a description and a bar for each of the other programs."""
    root = ET.fromstring(build_picture(shown))  # noqa: S314 - our own XML
    space = "{http://www.w3.org/2000/svg}"
    bars = root.findall(f"{space}rect")
    labels = [root.find(f"{space}{name}") for name in ("title", "desc")]
    assert root.attrib["aria-labelledby"].split() == [label.attrib["id"] for label in labels if label is not None]
    assert len([bar for bar in bars if bar.attrib["class"] == "theirs"]) == len(shown)
    assert all(0 < float(bar.attrib["width"]) <= 500 for bar in bars)


def test_the_table_says_what_holds() -> None:
    """A row shows the work, figures with their spread, ratio and bound, and whether the bound holds."""
    ours, theirs = Series("gateway", [250, 200, 300]), Series("Flask", [20, 25, 30])
    wide = Comparison("a list", Unit.RATE, ours, theirs, Bound(8))
    slow = Comparison("a list", Unit.TIME, Series("gateway", [30.0]), Series("raw", [20.0]), Bound(1.4, is_worse=True))
    rows = build_markdown([wide, slow, replace(wide, bound=None)]).splitlines()[2:]
    assert rows == [
        "| a list | 250 requests/s (200 to 300) | Flask | 25 requests/s (20 to 30) | 10 | ≥ 8 | yes |",
        "| a list | 30 ms (30 to 30) | raw | 20 ms (20 to 20) | 1.5 | ≤ 1.4 | no |",
        "| a list | 250 requests/s (200 to 300) | Flask | 25 requests/s (20 to 30) | 10 |  |  |",
    ]


def test_a_terminal_shows_a_line_for_each_program() -> None:
    """Tables show each program with its figures and whether the bound holds, within 80 columns."""
    ours, theirs = Series("gateway", [250, 200, 300]), Series("Flask", [20, 25, 30])
    compared = [Comparison("a list", Unit.RATE, ours, theirs, Bound(8)), Comparison("a list", Unit.RATE, ours, theirs)]
    for shown in (compared, compared[:1]):
        console = Console(width=80, record=True, file=StringIO())
        console.print(build_table(shown))
        lines = [line.split() for line in console.export_text().splitlines() if line.strip()]
        assert lines[0] == ["a", "list,", "requests/s"]
        assert lines[3:] == [
            ["gateway", "250", "200", "300"],
            ["Flask", "25", "20", "30", "10", "≥", "8", "yes"],
            *([["Flask", "25", "20", "30", "10"]] if len(shown) > 1 else []),
        ]


def test_the_page_says_how_it_was_made() -> None:
    """docs/benchmarks.md holds the table, the picture, each condition and the command."""
    comparison = Comparison("a list", Unit.RATE, Series("gateway", [2.0]), Series("Flask", [1.0]))
    page = build_page([comparison], {"processor": "Z80, 1 core"}, "python -m benchmarks speed --write")
    assert build_markdown([comparison]) in page
    assert re.search(r"!\[.+\]\(benchmarks\.svg\)", page)
    assert "- processor: Z80, 1 core\n" in page
    assert "`python -m benchmarks speed --write`" in page


def test_a_failover_lasts_until_its_last_answer() -> None:
    """The reported duration includes the elections after the requested time."""
    assert Report(10.0, [Answer("right", 10.0, 40.0), Answer("right", 11.0, 12.0)], []).seconds == 30.0
