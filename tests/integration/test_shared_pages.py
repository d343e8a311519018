"""First pages read once for several clients: each gets what it would get alone, and nothing older."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo.collection import Collection

from database.client import open_client
from database.environment import DatabaseEnvironment
from database.errors import GatewayError
from database.query import FIELDS, FindPlan, Order, Page, TransactionFilter, build_find_plan
from database.repository import TransactionRepository
from database.row import Row
from database.shared_pages import SharedPages
from schema.resolvers import list_transactions
from tests.recorder import CommandRecorder

NUMBER = "4111111111111111"
SPAN_MS = 20
NOW = 1_000
FULL = frozenset(FIELDS)


@dataclass
class Bench:
    """A repository over a real collection, with its commands recorded."""

    repository: TransactionRepository
    recorder: CommandRecorder

    async def ask(self, wanted: TransactionFilter, limit: int) -> list[Row]:
        page = await list_transactions(self.repository, wanted, Order.DATE_DESC, Page(limit))
        return await page.load()

    async def ask_alone(self, wanted: TransactionFilter, limit: int) -> list[Row]:
        return await self.repository.find_rows(build_find_plan(wanted, Order.DATE_DESC, Page(limit)))

    @property
    def finds(self) -> int:
        return self.recorder.names.count("find")


@pytest.fixture
async def bench(reader_environment: DatabaseEnvironment) -> AsyncIterator[Bench]:
    recorder = CommandRecorder()
    async with open_client(reader_environment, (recorder,)) as client:
        yield Bench(TransactionRepository(client, reader_environment.database, timeout_ms=10_000), recorder)


def build_documents(dates: list[object], country: str = "US") -> list[Row]:
    return [
        {"_id": f"{country}{number:05}", "date": date, "cardNumber": NUMBER, "countryOrigin": country}
        for number, date in enumerate(dates)
    ]


# Most dates are integers; other programs may have stored anything.
dates = st.lists(
    st.one_of(
        st.integers(NOW - SPAN_MS - 3, NOW + 8),
        st.sampled_from([NOW - SPAN_MS, NOW, NOW - 0.5, NOW + 2.5, "1000", None, True]),
    ),
    max_size=40,
)
windows = st.builds(
    lambda until, span, limit, country: (
        TransactionFilter(since=until - span, until=until, country=country),
        limit,
    ),
    st.integers(NOW, NOW + 5),
    st.integers(0, SPAN_MS),
    st.sampled_from([0, 1, 2, 5, 10, 1_000]),
    st.sampled_from([None, None, "US"]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=dates, asked=st.lists(windows, min_size=2, max_size=8))
async def test_each_gets_the_page_of_its_own_query(
    bench: Bench,
    collection: Collection[dict[str, Any]],
    found: list[object],
    asked: list[tuple[TransactionFilter, int]],
) -> None:
    """Concurrent pages with different windows, lengths and filters equal the page that each would get alone."""
    collection.delete_many({})
    if found:
        collection.insert_many(build_documents(found) + build_documents(found[:5], "FR"))
    together = await asyncio.gather(*(bench.ask(*question) for question in asked))
    assert together == [await bench.ask_alone(wanted, limit) if limit else [] for wanted, limit in asked]


async def test_those_who_ask_at_once_share_a_query(bench: Bench, collection: Collection[dict[str, Any]]) -> None:
    """Concurrent pages that differ only in their windows cost one query."""
    collection.insert_many(build_documents(list(range(NOW - SPAN_MS, NOW))))
    windows = [TransactionFilter(since=NOW - days, until=NOW) for days in range(5, 15)]
    await asyncio.gather(*(bench.ask(wanted, 3) for wanted in windows))
    assert bench.finds == 1


async def test_nobody_gets_what_was_read_before(bench: Bench, collection: Collection[dict[str, Any]]) -> None:
    """A transaction added before a page is requested is in it, whatever is being read at that moment."""
    wanted = TransactionFilter(since=NOW - SPAN_MS, until=NOW)
    asked: list[asyncio.Task[list[Row]]] = []
    for number in range(30):
        # The earlier ones are under way, at any stage.
        asked.append(asyncio.create_task(bench.ask(wanted, 1_000)))
        for _ in range(number % 7):
            await asyncio.sleep(0)
        collection.insert_one({"_id": f"{number}", "date": NOW})
        asked.append(asyncio.create_task(bench.ask(wanted, 1_000)))
        seen = {row["_id"] for row in await bench.ask(wanted, 1_000)}
        assert {str(added) for added in range(number + 1)} <= seen
    for number, task in enumerate(asked):
        assert {str(added) for added in range((number + 1) // 2)} <= {row["_id"] for row in await task}


async def test_who_leaves_takes_nobody_along(bench: Bench, collection: Collection[dict[str, Any]]) -> None:
    """When the client whose query it is leaves, the others get their pages; when all leave, no state remains."""
    collection.insert_many(build_documents([NOW] * 3))
    wanted = TransactionFilter(since=NOW - SPAN_MS, until=NOW)
    first, second, third = (asyncio.create_task(bench.ask(wanted, limit)) for limit in (1, 2, 3))
    await asyncio.sleep(0)
    first.cancel()
    assert [len(await second), len(await third)] == [2, 3]
    gone = [asyncio.create_task(bench.ask(wanted, 1)) for _ in range(3)]
    await asyncio.sleep(0)
    for task in gone:
        task.cancel()
    await asyncio.wait(gone)
    assert len(await bench.ask(wanted, 2)) == 2
    pages = bench.repository._pages  # noqa: SLF001 - no public access to it
    assert not [*pages._gathering, *pages._running]  # noqa: SLF001 - no public access to it


async def test_a_failure_is_told_to_all() -> None:
    """A failed query raises its error for everyone waiting, and the next request sends a new query."""
    failures = iter([GatewayError("away"), None])

    async def find_rows(_plan: FindPlan) -> list[Row]:
        await asyncio.sleep(0)
        if failure := next(failures):
            raise failure
        return []

    pages = SharedPages(find_rows)
    wanted = TransactionFilter(since=0, until=NOW)
    told = await asyncio.gather(*(pages.find(wanted, 1, FULL) for _ in range(3)), return_exceptions=True)
    assert [str(error) for error in told] == ["away"] * 3
    assert await pages.find(wanted, 1, FULL) == []
