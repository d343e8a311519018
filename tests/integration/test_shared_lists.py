"""Lists read once for several clients: each gets what it would get alone, and none waits for another."""

import asyncio
import gc
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo import AsyncMongoClient, MongoClient, monitoring
from pymongo.collection import Collection

from database.client import open_client
from database.embedded import EmbeddedServer
from database.environment import DatabaseEnvironment
from database.errors import OverloadedError, QueryEndedError
from database.index import COLLECTION
from database.query import TransactionFilter
from database.repository import TransactionRepository
from gateway.admission import Admission, Slot
from gateway.app import create_app
from gateway.caller import Scope
from gateway.keys import create_key
from gateway.list_request import ListRequest
from gateway.rows import CSV, JSON, NDJSON, RowFormat
from gateway.settings import load_settings
from gateway.shared_list import SharedLists, _Reading
from schema.context import read_clock_ms
from tests.conftest import serve_database
from tests.operation import find_cursors
from tests.recorder import CommandRecorder
from tests.waiting import DEADLINE_SECONDS, wait_until

NUMBER = "4111111111111111"
SPAN_MS = 20
NOW = 1_000
MANY = 6_000
WRITES = 80


@dataclass
class Bench:
    """Shared lists over a real collection, without HTTP, and the admission of their queries."""

    repository: TransactionRepository
    recorder: CommandRecorder
    lists: SharedLists = field(default_factory=SharedLists)
    admission: Admission = field(default_factory=lambda: Admission(1_000))

    def ask(
        self, now: int = NOW, row_format: RowFormat = NDJSON, span: int = SPAN_MS, **wanted: Any
    ) -> AsyncGenerator[bytes, None]:
        """Request a list as an endpoint does."""
        return self.ask_list(
            ListRequest(self.repository, TransactionFilter(since=now - span, until=now, **wanted), None, row_format)
        )

    async def ask_list(self, request: ListRequest) -> AsyncGenerator[bytes, None]:
        await self.admission.enter()
        try:
            async with aclosing(self.lists.open(request, Slot(self.admission))) as parts:
                async for part in parts:
                    yield part
        finally:
            self.admission.leave()

    async def read_alone(self, now: int) -> bytes:
        wanted = TransactionFilter(since=now - SPAN_MS, until=now)
        return await read(ListRequest(self.repository, wanted, None, NDJSON).read_alone(None))

    async def check_left(self) -> None:
        """Assert that no reading and no admission slot is left."""
        await asyncio.to_thread(wait_until, lambda: not find_readings(self.lists), "the readings to end")
        assert count_active(self.admission) == 0

    @property
    def finds(self) -> int:
        return self.recorder.names.count("find")


def find_readings(lists: SharedLists) -> list[_Reading]:
    return [*lists._gathering.values(), *lists._running.values()]  # noqa: SLF001 - no public access to it


def count_active(admission: Admission) -> int:
    return admission._active  # noqa: SLF001 - no public access to it


async def read(parts: AsyncGenerator[bytes, None]) -> bytes:
    async with aclosing(parts):
        return b"".join([part async for part in parts])


@pytest.fixture
async def bench(reader_environment: DatabaseEnvironment) -> AsyncIterator[Bench]:
    recorder = CommandRecorder()
    async with open_client(reader_environment, (recorder,)) as client:
        yield Bench(TransactionRepository(client, reader_environment.database, timeout_ms=10_000), recorder)


def fill(collection: Collection[dict[str, Any]], count: int, date: int | None = None) -> None:
    """Store documents, all of one date or spread over the window."""
    collection.insert_many(
        [
            {"_id": f"{number:07}", "date": date or NOW - number * SPAN_MS // count, "cardNumber": NUMBER}
            for number in range(count)
        ]
    )


async def test_lists_that_are_hung_up_on_do_not_hold_each_other(
    bench: Bench, collection: Collection[dict[str, Any]]
) -> None:
    """A list whose client disconnects leaves nothing in memory, although the same list is requested repeatedly."""
    fill(collection, MANY)
    gc.disable()
    try:
        for _ in range(10):
            async with aclosing(bench.ask()) as parts:
                await anext(parts)
        await asyncio.to_thread(
            wait_until, lambda: not any(type(each) is _Reading for each in gc.get_objects()), "all to be freed"
        )
    finally:
        gc.enable()


# In and around the windows: integers, other numbers, and arrays, which only the server can compare with a window.
edges = st.sampled_from([NOW - SPAN_MS, NOW - SPAN_MS + 1, NOW, NOW + 1, NOW + 2])
dates = st.integers(NOW - SPAN_MS - 3, NOW + 6) | edges | st.sampled_from([NOW + 0.5, NOW - SPAN_MS + 0.5, float(NOW)])
arrays = st.lists(st.integers(NOW - SPAN_MS - 3, NOW + 6), min_size=1, max_size=2)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stored=st.lists(dates, max_size=40)
    | st.lists(edges, min_size=20, max_size=60)
    | st.lists(dates | arrays, max_size=20),
    nows=st.lists(st.integers(NOW, NOW + 3), min_size=1, max_size=4),
    order=st.lists(st.integers(0, 3), max_size=40),
    leavers=st.dictionaries(st.integers(0, 3), st.integers(0, 3), max_size=2),
    bounds=st.tuples(st.integers(2, 5), st.integers(1, 3), st.integers(2, 30)),
)
async def test_each_gets_what_it_would_get_alone(
    reader_environment: DatabaseEnvironment,
    collection: Collection[dict[str, Any]],
    stored: list[Any],
    nows: list[int],
    order: list[int],
    leavers: dict[int, int],
    bounds: tuple[int, int, int],
) -> None:
    """Each client gets its own list, byte for byte, whatever the pace, departures and request times of the others."""
    collection.delete_many({})
    if stored:
        collection.insert_many([{"_id": number, "date": date} for number, date in enumerate(stored)])
    with pytest.MonkeyPatch.context() as patch:
        rows, parts, ids = bounds
        patch.setattr("database.repository.FIRST_ROWS", rows)
        patch.setattr("database.repository.BATCH_ROWS", rows)
        patch.setattr("gateway.shared_list._MOST_PARTS", parts)
        patch.setattr("database.resume_point._MOST_IDS", ids)
        async with open_client(reader_environment) as client:
            repository = TransactionRepository(client, reader_environment.database, timeout_ms=10_000)
            bench = Bench(repository, CommandRecorder())
            readers = [bench.ask(now) for now in nows]
            firsts = await asyncio.gather(*(anext(reader, b"") for reader in readers))
            bodies = list(firsts)
            taken = [1] * len(readers)
            for place in [*(place % len(readers) for place in order), *range(len(readers))]:
                if taken[place] > leavers.get(place, 100):
                    await readers[place].aclose()
                else:
                    bodies[place] += await anext(readers[place], b"")
                    taken[place] += 1
            for place, reader in enumerate(readers):
                if place in leavers:
                    await reader.aclose()
                else:
                    bodies[place] += await read(reader)
            await bench.check_left()
            right = [await bench.read_alone(now) for now in nows]
    for place, body in enumerate(bodies):
        assert right[place].startswith(body) if place in leavers else body == right[place]


async def test_many_cost_one_query(bench: Bench, collection: Collection[dict[str, Any]]) -> None:
    """Fifty clients that request a list at once, at moments milliseconds apart, cost one find command."""
    fill(collection, MANY)
    nows = [NOW + number % 3 for number in range(50)]
    bodies = await asyncio.gather(*(read(bench.ask(now)) for now in nows))
    assert bench.finds == 1
    right = {now: await bench.read_alone(now) for now in set(nows)}
    assert bodies == [right[now] for now in nows]
    await bench.check_left()


async def test_other_questions_are_not_shared(bench: Bench, collection: Collection[dict[str, Any]]) -> None:
    """A list with another format, filter, window or right to see card numbers is not shared."""
    fill(collection, 10)
    window = TransactionFilter(since=NOW - SPAN_MS, until=NOW)
    masked, revealing = (
        ListRequest(repository, window, None, NDJSON)
        for repository in (bench.repository, bench.repository.reveal_cards())
    )
    requests = [
        masked,
        revealing,
        replace(masked, row_format=CSV),
        replace(masked, row_format=JSON),
        replace(masked, wanted=replace(window, country="US")),
        replace(masked, wanted=replace(window, since=NOW - SPAN_MS - 1)),
    ]
    bodies = await asyncio.gather(*(read(bench.ask_list(request)) for request in requests * 5))
    assert bench.finds == len(requests)
    right = [await read(request.read_alone(None)) for request in requests]
    assert bodies == right * 5
    assert NUMBER.encode() in right[1]
    assert not any(NUMBER.encode() in body for body in right if body != right[1])


def test_card_numbers_reach_those_alone_who_may_see_them(mongod: EmbeddedServer, tmp_path: Path) -> None:
    """Callers with and without cards:read who request one list together each see only what they may."""
    keys_file = tmp_path / "keys.json"
    masked = create_key(keys_file, "masked", frozenset({Scope.TRANSACTIONS_READ}))[1]
    revealing = create_key(keys_file, "revealing", frozenset({Scope.TRANSACTIONS_READ, Scope.CARDS_READ}))[1]
    with serve_database(mongod, tmp_path, GATEWAY_KEYS_FILE=str(keys_file), GATEWAY_MAX_CONCURRENT="100") as served:
        served.collection.insert_many(
            [{"date": read_clock_ms() - number, "cardNumber": NUMBER} for number in range(3_000)]
        )

        async def ask_all() -> list[tuple[str, httpx.Response]]:
            async with httpx.AsyncClient(base_url=served.gateway.url, timeout=60) as http:

                async def ask(key: str) -> tuple[str, httpx.Response]:
                    return key, await http.get("/transactions/1", headers={"Authorization": f"Bearer {key}"})

                return await asyncio.gather(*(ask(key) for _ in range(15) for key in (masked, revealing)))

        answers = asyncio.run(ask_all())
    assert {answer.status_code for _, answer in answers} == {200}
    shown = {
        key: {row["cardNumber"] for k, answer in answers if k == key for row in answer.json()} for key, _ in answers
    }
    assert shown == {masked: {"*" * 12 + NUMBER[-4:]}, revealing: {NUMBER}}


async def test_sharing_serves_nothing_older(
    reader_environment: DatabaseEnvironment, environment: DatabaseEnvironment
) -> None:
    """A response reflects every insert, update and delete made before its request, while requests share readings."""
    app = create_app(load_settings({}), reader_environment)
    state: dict[int, int] = {}
    gone: set[int] = set()
    is_written = False
    requests = 0
    recorder = CommandRecorder()
    async with open_client(environment) as owner, open_client(reader_environment, (recorder,)) as client:
        documents = owner[environment.database][COLLECTION]
        app.state.repository = TransactionRepository(client, environment.database, timeout_ms=10_000)

        async def write() -> None:
            nonlocal is_written
            for number in range(1, WRITES):
                await documents.insert_one({"_id": number, "date": read_clock_ms(), "amount": 0})
                state[number] = 0
                changed = number // 2 + 1
                if changed in state and changed % 3:
                    await documents.update_one({"_id": changed}, {"$inc": {"amount": 1}})
                    state[changed] += 1
                elif changed in state:
                    del state[changed]
                    await documents.delete_one({"_id": changed})
                    gone.add(changed)
            is_written = True

        async def ask(http: httpx.AsyncClient) -> None:
            nonlocal requests
            while not is_written:
                known, deleted = dict(state), set(gone)
                found = {row["_id"]: row["amount"] for row in (await http.get("/transactions/1")).json()}
                requests += 1
                assert not deleted & found.keys()
                for number, amount in known.items():
                    if number not in gone and number in state:
                        assert found[number] >= amount

        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
            await asyncio.gather(write(), *(ask(http) for _ in range(8)))
    assert recorder.names.count("find") < requests


async def test_a_list_that_has_begun_is_not_joined(
    bench: Bench, collection: Collection[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A document stored after a list's query began is in a list requested then, even before the first has any row."""
    fill(collection, MANY)
    asked: list[asyncio.Task[bytes]] = []

    def store_and_ask(event: monitoring.CommandSucceededEvent) -> None:
        if event.command_name == "find" and not asked:
            collection.insert_one({"_id": "new", "date": NOW})
            asked.append(asyncio.create_task(read(bench.ask())))

    monkeypatch.setattr(bench.recorder, "succeeded", store_and_ask)
    first = await read(bench.ask())
    second = await asked[0]
    assert b'"new"' not in first
    assert second == await bench.read_alone(NOW)
    assert second.startswith(b'{"_id":"new"')


async def test_nobody_waits_for_a_slow_client(bench: Bench, collection: Collection[dict[str, Any]]) -> None:
    """While one client takes a single part, the others read to the end, and it still gets each row once."""
    fill(collection, 20_000)
    slow, *fast = (bench.ask(NOW + number) for number in range(4))
    begun = asyncio.create_task(anext(slow))
    bodies = await asyncio.gather(*(read(reader) for reader in fast))
    assert bench.finds == 1
    body = await begun + await read(slow)
    assert [body, *bodies] == [await bench.read_alone(NOW + number) for number in range(4)]
    await bench.check_left()


async def test_a_slow_client_within_many_rows_of_one_date(bench: Bench, collection: Collection[dict[str, Any]]) -> None:
    """If too many rows share one date to be told apart later, the clients finish alone, and each list is complete."""
    fill(collection, 25_000, date=NOW)
    readers = [bench.ask(), bench.ask()]
    bodies = [b"", b""]
    for _ in range(15):
        parts = await asyncio.gather(*(anext(reader) for reader in readers))
        bodies = [body + part for body, part in zip(bodies, parts, strict=True)]
    # Meanwhile the second client waits.
    for place, reader in enumerate(readers):
        bodies[place] += await read(reader)
    assert bodies == [await bench.read_alone(NOW)] * 2
    assert bodies[0].count(b"\n") == 25_000


async def test_the_first_leaves_and_the_others_go_on(bench: Bench, collection: Collection[dict[str, Any]]) -> None:
    """When the client that requested first leaves midway, those who joined it get their complete lists."""
    fill(collection, MANY)
    first, *others = (bench.ask() for _ in range(3))
    begun = asyncio.create_task(anext(first))
    joined = [asyncio.create_task(anext(other)) for other in others]
    await begun
    await first.aclose()
    bodies = [await part + await read(other) for part, other in zip(joined, others, strict=True)]
    assert bench.finds == 1
    assert bodies == [await bench.read_alone(NOW)] * 2
    await bench.check_left()


async def test_when_all_leave_the_query_ends(
    bench: Bench, collection: Collection[dict[str, Any]], admin: MongoClient[dict[str, Any]]
) -> None:
    """When the last client of a list leaves, its cursor is closed in the database and no state remains here."""
    fill(collection, MANY)
    readers = [bench.ask() for _ in range(3)]
    await asyncio.gather(*(anext(reader) for reader in readers))
    assert find_cursors(admin, collection.full_name)
    for reader in readers:
        await reader.aclose()
    await bench.check_left()
    await asyncio.to_thread(wait_until, lambda: not find_cursors(admin, collection.full_name), "the cursor's end")


async def test_what_is_given_up_is_not_joined(bench: Bench, collection: Collection[dict[str, Any]]) -> None:
    """A client that joins just as the only one waiting for a reading gives up gets the complete list."""
    fill(collection, MANY)
    for _ in range(3):
        running = bench.ask()
        begun = await anext(running)
        waiting = asyncio.create_task(anext(bench.ask()))
        await asyncio.sleep(0)
        assert len(find_readings(bench.lists)) == 2
        # Both happen in one iteration of the event loop.
        waiting.cancel()
        asking = asyncio.create_task(read(bench.ask()))
        with pytest.raises(asyncio.CancelledError):
            await waiting
        async with asyncio.timeout(DEADLINE_SECONDS):
            assert await asking == await bench.read_alone(NOW)
        assert begun + await read(running) == await bench.read_alone(NOW)
    await bench.check_left()


async def test_a_query_that_is_ended_breaks_all_its_lists(
    bench: Bench, collection: Collection[dict[str, Any]], admin: MongoClient[dict[str, Any]]
) -> None:
    """When the database ends a query midway, all who share it get an error, and the next request succeeds."""
    fill(collection, 20_000)
    readers = [bench.ask() for _ in range(3)]
    await asyncio.gather(*(anext(reader) for reader in readers))
    cursors = find_cursors(admin, collection.full_name)
    admin[collection.database.name].command("killCursors", COLLECTION, cursors=cursors)
    ends = await asyncio.gather(*(read(reader) for reader in readers), return_exceptions=True)
    assert [type(end) for end in ends] == [QueryEndedError] * 3
    assert await read(bench.ask()) == await bench.read_alone(NOW)
    await bench.check_left()


async def test_a_reading_that_is_cancelled_leaves_nobody_waiting(
    bench: Bench, collection: Collection[dict[str, Any]]
) -> None:
    """When a reading's task is cancelled, as in a shutdown, all who share it get an error."""
    fill(collection, 20_000)
    readers = [bench.ask() for _ in range(3)]
    await asyncio.gather(*(anext(reader) for reader in readers))
    [reading] = find_readings(bench.lists)
    assert reading.task
    reading.task.cancel()
    async with asyncio.timeout(DEADLINE_SECONDS):
        ends = await asyncio.gather(*(read(reader) for reader in readers), return_exceptions=True)
    assert [type(end) for end in ends] == [QueryEndedError] * 3
    await bench.check_left()


async def test_a_question_that_cannot_begin_is_refused_to_all(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """If no query can start, all who would share it are refused before their responses begin; later requests work."""
    monkeypatch.setattr("database.repository._LONGEST_WAIT_SECONDS", 0.05)
    with monkeypatch.context() as patch:
        patch.setattr(bench.repository, "_slots", asyncio.Semaphore(0))
        ends = await asyncio.gather(*(anext(bench.ask()) for _ in range(5)), return_exceptions=True)
    assert [type(end) for end in ends] == [OverloadedError] * 5
    assert await read(bench.ask()) == b""
    await bench.check_left()


async def test_who_goes_on_alone_counts_again(bench: Bench, collection: Collection[dict[str, Any]]) -> None:
    """A client that shares another's reading frees its admission slot until it needs a query of its own."""
    fill(collection, 20_000)
    first, slow = bench.ask(), bench.ask()
    await asyncio.gather(anext(first), anext(slow))
    sharing = count_active(bench.admission)
    await read(first)
    while (await anext(slow)) and bench.finds == 1:
        pass
    assert (sharing, count_active(bench.admission)) == (1, 1)
    await slow.aclose()
    await bench.check_left()


async def test_head_ends_what_nobody_else_reads(
    reader_environment: DatabaseEnvironment, collection: Collection[dict[str, Any]]
) -> None:
    """HEAD beside GET takes nothing from it, and HEAD alone leaves no reading behind."""
    collection.insert_many([{"_id": number, "date": read_clock_ms()} for number in range(MANY)])
    app = create_app(load_settings({}), reader_environment)
    async with (
        AsyncMongoClient[dict[str, Any]](reader_environment.connection_uri) as client,
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http,
    ):
        app.state.repository = TransactionRepository(client, reader_environment.database, timeout_ms=10_000)
        answers = await asyncio.gather(
            http.head("/transactions/1"), *(http.get("/transactions/1") for _ in range(3)), http.head("/transactions/1")
        )
        await asyncio.to_thread(wait_until, lambda: not find_readings(app.state.lists), "the readings to end")
    assert {answer.status_code for answer in answers} == {200}
    assert [len(json.loads(answer.content)) for answer in answers if answer.request.method == "GET"] == [MANY] * 3
    assert count_active(app.state.admission) == 0
