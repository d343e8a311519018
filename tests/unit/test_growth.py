"""How figures for several data sizes become tables, and how these enter a hand-written page."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.curve import build_curves
from benchmarks.growth import Answer, Grid, Size, build_grids, replace_figures
from benchmarks.measure import Bound, Series
from benchmarks.profiler import Cost, sum_cost
from benchmarks.workload import Question, build_questions
from database.index import INDEXES

MARKS = "<!-- figures begin -->\n<!-- figures end -->\n"
STORED = {"data": 200_000, "index _id_": 50_000}
texts = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"], exclude_characters="|<"))
grids = st.lists(st.builds(Grid, texts, st.lists(texts, min_size=1), st.just([])))


def _build_size(documents: int, milliseconds: float, bound: Bound | None = None) -> Size:
    cost = Cost(commands=1, keys=documents, documents=7, plan="IXSCAN card_date")
    answer = Answer(Question("count", (), bound=bound), Series("count", [milliseconds]), cost)
    return Size(documents, (answer,), STORED, 1.0, 2.0, 90_000_000, 500_000_000)


@given(texts, texts, grids)
def test_what_a_person_wrote_around_the_figures_stays(before: str, after: str, written: list[Grid]) -> None:
    """Rewriting the figures replaces the previous ones and nothing else."""
    page = replace_figures(f"{before}\n{MARKS}{after}", written, {"data": "some"})
    assert page.startswith(f"{before}\n<!-- figures begin -->\n")
    assert page.endswith(f"<!-- figures end -->\n{after}")
    assert replace_figures(page, written, {"data": "some"}) == page


def test_a_page_without_marks_is_refused() -> None:
    """Figures are not written to a page without markers."""
    with pytest.raises(ValueError, match="figures begin"):
        replace_figures("# Scaling\n", [], {})


@given(st.floats(0.1, 1_000), st.floats(0.1, 1_000))
def test_the_largest_data_is_held_to_the_smallest(smallest: float, largest: float) -> None:
    """A bound holds if the largest data's median is at most that many times the smallest's."""
    bound = Bound(2, is_worse=True)
    sizes = [_build_size(20, smallest, bound), _build_size(200, 5_000, bound), _build_size(2_000, largest, bound)]
    latencies = build_grids(sizes)[0].lines[0]
    assert latencies[-1] == ("yes" if largest / smallest <= 2 else "no")


def test_sizes_are_told_for_a_million() -> None:
    """Sizes are scaled to a million documents: 20 bytes per document are 20 MB."""
    lines = {line[0]: line[1] for line in build_grids([_build_size(10_000, 1.0)])[2].lines}
    assert lines["data, MB a million"] == "20"
    assert lines["index _id_, MB a million"] == "5"


def test_an_answer_that_was_not_profiled_has_no_costs() -> None:
    """An unprofiled response has a latency and no cost line."""
    size = _build_size(20, 1.0)
    size = replace(size, answers=(replace(size.answers[0], cost=None),))
    latencies, costs, _ = build_grids([size])
    assert (len(latencies.lines), len(costs.lines)) == (1, 0)


@given(st.lists(st.floats(0.1, 100_000), min_size=1, max_size=4))
def test_a_curve_rises_with_the_figures(milliseconds: list[float]) -> None:
    """Each size has a point, further right the larger the data and higher the longer the response took."""
    sizes = [_build_size(10**number, value) for number, value in enumerate(milliseconds, 3)]
    picture = ET.fromstring(build_curves(sizes))  # noqa: S314 - our own XML
    points = [
        (float(point.attrib["cx"]), -float(point.attrib["cy"])) for point in picture.iter() if "cx" in point.attrib
    ]
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    heights = [height for _, (_, height) in sorted(zip(milliseconds, points, strict=True))]
    assert heights == sorted(heights)


def test_the_cost_of_a_question_is_that_of_all_its_commands() -> None:
    """Keys and documents add up over a list's batches; the plan is the first command's, its index by name."""
    find = {
        "keysExamined": 3,
        "docsExamined": 2,
        "planSummary": "IXSCAN { date: -1, _id: -1, amount: 1 }, IXSCAN { date: -1, _id: -1, amount: 1 }",
    }
    assert INDEXES[0].name == "date_amount"
    assert sum_cost([find, {"keysExamined": 4, "docsExamined": 4}]) == Cost(2, 7, 6, "IXSCAN date_amount")
    assert sum_cost([]) == Cost(0, 0, 0, "")


def test_what_is_asked_once_is_never_asked_twice() -> None:
    """The requests of a question all differ, so that none benefits from the one before."""
    for question in build_questions(1_750_000_000_000, "0"):
        assert len(set(question.asks)) == len(question.asks)
