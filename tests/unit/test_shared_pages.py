"""Sharing a page's read: each page is the one that its own query would return, or none."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from database import shared_pages
from database.query import FindPlan, TransactionFilter
from database.row import Row
from database.shared_pages import SharedPages, SharedRows

FIELDS = frozenset({"_id", "date"})


@dataclass
class Rows:
    """A stand-in for a repository: rows by date, and the plans it was given."""

    rows: list[Row]
    plans: list[FindPlan] = field(default_factory=list)
    wait: Callable[[], Awaitable[object]] = field(default=lambda: asyncio.sleep(0))

    async def find(self, plan: FindPlan) -> list[Row]:
        self.plans.append(plan)
        await self.wait()
        return self.select(plan.filter["date"]["$gte"], plan.filter["date"]["$lte"], plan.limit)

    def select(self, since: int, until: int, limit: int) -> list[Row]:
        found = [row for row in self.rows if since <= row["date"] <= until]
        return sorted(found, key=lambda row: (row["date"], row["_id"]), reverse=True)[:limit]


def build_rows(dates: list[int]) -> list[Row]:
    return [{"_id": number, "date": date} for number, date in enumerate(dates)]


windows = st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(1, 8)).map(
    lambda drawn: (min(drawn[:2]), max(drawn[:2]), drawn[2])
)


@given(dates=st.lists(st.integers(0, 20), max_size=40), asked=st.lists(windows, min_size=2, max_size=5))
async def test_each_gets_its_own_page_or_none(dates: list[int], asked: list[tuple[int, int, int]]) -> None:
    """Each gets what its window and limit alone would return; None only if the shared rows do not reach far enough."""
    rows = Rows(build_rows(dates))
    pages = SharedPages(rows.find)
    given_pages = await asyncio.gather(
        *(pages.find(TransactionFilter(since=since, until=until), limit, FIELDS) for since, until, limit in asked)
    )
    [plan] = rows.plans
    known = rows.select(plan.filter["date"]["$gte"], plan.filter["date"]["$lte"], plan.limit)
    for (since, until, limit), page in zip(asked, given_pages, strict=True):
        alone = rows.select(since, until, limit)
        if page is None:
            assert not all(row in known for row in alone) or len(alone) < limit
        else:
            assert page == alone


async def test_rows_that_do_not_reach_are_not_given() -> None:
    """A page whose rows are older than those read must be read alone."""
    rows = Rows(build_rows([1, 2, 11, 12]))
    pages = SharedPages(rows.find)
    filters = [TransactionFilter(since=0, until=until) for until in (20, 5)]
    newest, older = await asyncio.gather(*(pages.find(wanted, 2, FIELDS) for wanted in filters))
    assert newest is not None
    assert [row["date"] for row in newest] == [12, 11]
    assert older is None


async def test_dates_that_are_no_numbers_are_not_cut() -> None:
    """Rows with an array of dates are not shared, as only the server knows which windows match it."""

    async def find(_plan: FindPlan) -> list[Row]:
        return [{"_id": 1, "date": [5, 6]}, {"_id": 2, "date": 3}]

    assert await SharedPages(find).find(TransactionFilter(since=0, until=9), 5, FIELDS) is None


async def test_those_who_select_other_fields_share_nothing() -> None:
    """Only requests for the same fields share a read, and equal pages are the same object."""
    rows = Rows(build_rows([1, 2]))
    pages = SharedPages(rows.find)
    wanted = TransactionFilter(since=0, until=9)
    first, second, other = await asyncio.gather(
        pages.find(wanted, 5, FIELDS), pages.find(wanted, 5, FIELDS), pages.find(wanted, 5, frozenset({"_id"}))
    )
    assert isinstance(first, SharedRows)
    assert first is second
    assert other is not first
    assert len(rows.plans) == 2


async def test_nobody_joins_what_is_given_up() -> None:
    """When all who wait for a read are cancelled, it ends at once, and a new request gets its own read."""
    ended: list[bool] = []

    async def wait() -> None:
        try:
            await asyncio.sleep(0 if ended else 3600)
        finally:
            ended.append(True)

    rows = Rows(build_rows([1]), wait=wait)
    pages = SharedPages(rows.find)
    wanted = TransactionFilter(since=0, until=9)
    running = asyncio.create_task(pages.find(wanted, 1, FIELDS))
    for _ in range(3):
        await asyncio.sleep(0)
    assert len(rows.plans) == 1
    gathering = asyncio.create_task(pages.find(wanted, 1, FIELDS))
    await asyncio.sleep(0)
    gathering.cancel()
    running.cancel()
    # Both are cancelled in the next iteration of the event loop, before the request below.
    await asyncio.wait([running, gathering])
    async with asyncio.timeout(5):
        assert await pages.find(wanted, 1, FIELDS) == rows.rows
    assert ended == [True, True]


async def test_a_slow_reading_is_not_waited_for() -> None:
    """A request that arrives during a slow read waits a moment for its end, then gets a read of its own."""
    rows = Rows(build_rows([1]), wait=lambda: asyncio.sleep(0 if len(rows.plans) > 1 else 3600))
    pages = SharedPages(rows.find)
    wanted = TransactionFilter(since=0, until=9)
    slow = asyncio.create_task(pages.find(wanted, 1, FIELDS))
    while not rows.plans:  # noqa: ASYNC110 - no event signals it
        await asyncio.sleep(0)
    async with asyncio.timeout(100 * shared_pages._GATHERING_SECONDS):  # noqa: SLF001 - the moment it waits
        assert await pages.find(wanted, 1, FIELDS) == rows.rows
    assert not slow.done()
    slow.cancel()
    await asyncio.wait([slow])
