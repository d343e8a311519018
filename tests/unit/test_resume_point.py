"""How far a list has come: the rest holds each row not yet met, and no other."""

from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from database import resume_point as resume_point_module
from database.query import FindPlan, TransactionFilter, build_find_plan
from database.resume_point import ResumePoint

Row = dict[str, Any]

PLAN = build_find_plan(TransactionFilter(since=0, until=9))
# Few dates, so that many rows share one.
lists = st.lists(st.integers(0, 4), min_size=1, max_size=30).map(
    lambda dates: [{"_id": number, "date": date} for number, date in enumerate(sorted(dates, reverse=True))]
)


def cut(rows: list[Row], size: int) -> list[list[Row]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def find_left(rows: list[Row], rest: FindPlan | None) -> list[Row]:
    """Return the rest as another server would, which may order the ids of one date differently."""
    assert rest is not None
    bounds = rest.filter["date"]
    left = [row for row in rows if bounds["$gte"] <= row["date"] <= bounds["$lte"]]
    return sorted(left, key=lambda row: (-row["date"], -row["_id"]))


@given(rows=lists, size=st.integers(1, 5), size_after=st.integers(1, 5), data=st.data())
def test_a_list_that_goes_on_holds_each_row_once(
    rows: list[Row], size: int, size_after: int, data: st.DataObject
) -> None:
    """Wherever reads stop, and however often, the rows before and after are all rows once, newest first."""
    resume_point, given_rows, left, batch_size = ResumePoint(PLAN), list[Row](), rows, size
    for _ in range(3):
        batches = cut(left, batch_size)
        for batch in batches[: data.draw(st.integers(1, len(batches)))]:
            given_rows += resume_point.advance(batch)
        left, batch_size = find_left(rows, resume_point.find_rest_plan()), size_after
    given_rows += chain.from_iterable(map(resume_point.advance, cut(left, batch_size)))
    assert sorted(row["_id"] for row in given_rows) == [row["_id"] for row in rows]
    assert [row["date"] for row in given_rows] == [row["date"] for row in rows]


@given(rows=lists, size=st.integers(1, 5))
def test_a_copy_stays_where_it_is(rows: list[Row], size: int) -> None:
    """A resume point that advances leaves its copy at the rows that both have met."""
    resume_point = ResumePoint(PLAN)
    first, *others = cut(rows, size)
    resume_point.advance(first)
    copy = resume_point.copy(PLAN)
    for batch in others:
        resume_point.advance(batch)
    left = find_left(rows, copy.find_rest_plan())
    assert sorted(row["_id"] for row in copy.advance(left)) == [row["_id"] for row in rows[len(first) :]]


def test_too_many_rows_of_one_date_have_no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids are kept up to a limit, beyond which the list cannot be continued; from the next date on it can."""
    monkeypatch.setattr(resume_point_module, "_MOST_IDS", 2)
    resume_point = ResumePoint(PLAN)
    for number in range(2):
        resume_point.advance([{"_id": number, "date": 5}])
    assert resume_point.find_rest_plan() is not None
    resume_point.advance([{"_id": number, "date": 5} for number in range(2, 100)])
    assert resume_point.find_rest_plan() is None
    assert len(resume_point._ids) == 3  # noqa: SLF001 - what a list of any length may keep
    resume_point.advance([{"_id": 100, "date": 4}])
    assert resume_point.find_rest_plan() is not None


@pytest.mark.parametrize("date", [None, "2026", 1.5])
def test_a_date_that_is_no_whole_number_has_no_rest(date: object) -> None:
    """After such a row the list cannot be continued, as only the server knows the order."""
    resume_point = ResumePoint(PLAN)
    resume_point.advance([{"_id": 1, "date": date}])
    assert resume_point.find_rest_plan() is None


def test_the_rest_stays_within_its_window() -> None:
    """If rows of a wider window were met, the rest is still bounded by the plan's own window."""
    resume_point = ResumePoint(PLAN)
    resume_point.advance([{"_id": 1, "date": 12}])
    rest = resume_point.find_rest_plan()
    assert rest is not None
    assert rest.filter["date"] == {"$gte": 0, "$lte": 9}
