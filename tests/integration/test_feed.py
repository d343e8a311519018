"""The feed: subscribers who join, leave and return get each transaction once, and no cursor is left behind."""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pymongo import WriteConcern
from pymongo.collection import Collection

from database import feed as feed_module
from database import shared_stream, subscription
from database.client import open_client, open_sync_client
from database.embedded import EmbeddedServer
from database.environment import Credentials, DatabaseEnvironment
from database.errors import DatabaseUnavailableError, LiveEventUnknownError, LiveTooSlowError, LiveUnavailableError
from database.event import encode_event_id
from database.feed import TransactionFeed
from database.index import COLLECTION
from database.provision import provision
from database.query import RelativeFilter, TransactionFilter
from tests.crashed import run_crashed_mongod
from tests.live import FeedWatcher, encode
from tests.recorder import CommandRecorder
from tests.replica import run_replica_set
from tests.rollup import wait_for

_Collection = Collection[dict[str, Any]]
ALL = RelativeFilter()


@asynccontextmanager
async def run_feed(
    environment: DatabaseEnvironment, *listeners: Any
) -> AsyncIterator[tuple[TransactionFeed, FeedWatcher]]:
    """Yield a feed of a database with the rights of the environment's user."""
    watcher = FeedWatcher()
    async with open_client(environment, listeners) as client:
        feed = TransactionFeed(client, environment.database, encode, watcher)
        try:
            yield feed, watcher
        finally:
            await feed.close()


async def follow(feed: TransactionFeed, wanted: RelativeFilter, last: int, after: str | None, seed: int) -> list[int]:
    """Read until `last` arrives, reconnecting at the last position; return the numbers in order of arrival."""
    chance, numbers = random.Random(seed), list[int]()  # noqa: S311 - no secret
    while last not in numbers:
        async with feed.open(wanted, after) as events:
            for _ in range(chance.randint(0, 5)):
                numbers += [event.row["amount"] for event in await events.read(chance.choice([0, 0.01, 5]))]
                if chance.random() < 0.3:
                    await asyncio.sleep(0)
                if last in numbers:
                    break
            after = events.id
    return numbers


@pytest.mark.parametrize("kept", [0, 7, 1_000])
async def test_nobody_misses_or_repeats_a_transaction(
    reader_environment: DatabaseEnvironment, collection: _Collection, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    """While transactions are inserted, singly and in batches, all who join, leave and return see each once."""
    monkeypatch.setattr(shared_stream, "_MOST_KEPT", kept)
    for plan in ("_PLAN", "_REPLAY_PLAN"):
        monkeypatch.setattr(shared_stream, plan, replace(getattr(shared_stream, plan), batch=5))
    total = 400

    def insert() -> None:
        chance, number = random.Random(1), 0  # noqa: S311 - no secret
        while number < total:
            count = min(chance.choice([1, 1, 2, 9]), total - number)
            documents = [
                {"amount": number + i, "cardType": "Visa" if (number + i) % 2 else "Amex"} for i in range(count)
            ]
            with collection.database.client.start_session() as session:
                if chance.random() < 0.3:
                    with session.start_transaction():
                        collection.insert_many(documents, session=session)
                else:
                    collection.insert_many(documents)
            number += count

    async with run_feed(reader_environment) as (feed, _), feed.open(ALL) as first:
        start = first.id
        odd = RelativeFilter(others=TransactionFilter(card_type="visa"))
        readers = [
            asyncio.create_task(follow(feed, odd if seed % 3 == 0 else ALL, total - 1, start, seed))
            for seed in range(12)
        ]
        await asyncio.to_thread(insert)
        async with asyncio.timeout(120):
            for seed, numbers in enumerate(await asyncio.gather(*readers)):
                assert numbers == [number for number in range(total) if number % 2 or seed % 3]


async def test_subscribers_share_one_stream(reader_environment: DatabaseEnvironment, collection: _Collection) -> None:
    """A hundred subscribers, and those who return within the recent transactions, share one change stream."""
    recorder = CommandRecorder()
    async with run_feed(reader_environment, recorder) as (feed, watcher), AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(feed.open(ALL)) for _ in range(100)]
        before = opened[0].id
        collection.insert_one({"amount": 1})
        events = [event for each in opened for event in await each.read(60)]
        assert len(events) == 100
        # The event is encoded once, too.
        assert len({id(event.data) for event in events}) == 1
        async with feed.open(ALL, before) as again:
            assert [event.row["amount"] for event in await again.read(60)] == [1]
        assert recorder.names.count("aggregate") == 1
        assert (watcher.subscribers, watcher.delivered) == (100, 100)


async def test_many_who_come_back_share_what_is_read_again(
    reader_environment: DatabaseEnvironment, collection: _Collection
) -> None:
    """After a restart, a hundred subscribers who return, each from another position, cost the database few streams."""
    places = []
    async with run_feed(reader_environment) as (feed, _), feed.open(ALL) as events:
        for number in range(100):
            places.append(events.id)
            collection.insert_one({"amount": number})
            await anext(events)
    random.Random(1).shuffle(places)  # noqa: S311 - no secret
    recorder = CommandRecorder()

    async def come_back(feed: TransactionFeed, place: str) -> list[int]:
        async with feed.open(ALL, place) as events:
            return [(await anext(events)).row["amount"]]

    async with run_feed(reader_environment, recorder) as (feed, _), feed.open(ALL):
        found = await asyncio.gather(*(come_back(feed, place) for place in places))
    assert sorted(number for [number] in found) == list(range(100))
    assert recorder.names.count("aggregate") < 25


def list_streams(mongod: EmbeddedServer, database: str) -> list[Any]:
    """Return the server's open change stream cursors on the collection."""
    with open_sync_client(mongod.admin) as client:
        pipeline: list[dict[str, Any]] = [
            {"$currentOp": {"allUsers": True, "idleCursors": True}},
            {
                "$match": {
                    "ns": f"{database}.{COLLECTION}",
                    "cursor.originatingCommand.pipeline.0.$changeStream": {"$exists": 1},
                }
            },
        ]
        return list(client.admin.aggregate(pipeline))


async def test_no_cursor_is_left_behind(
    reader_environment: DatabaseEnvironment,
    collection: _Collection,
    mongod: EmbeddedServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once the last subscriber has left, or a replay was abandoned, the server has no cursor of the feed."""
    monkeypatch.setattr(feed_module, "_LINGER_SECONDS", 0.01)
    name = reader_environment.database
    async with run_feed(reader_environment) as (feed, watcher):
        async with feed.open(ALL) as events:
            place = events.id
            collection.insert_many({"amount": number} for number in range(500))
            assert list_streams(mongod, name)
        await wait_for(lambda: not list_streams(mongod, name), "the stream to be gone")
        async with feed.open(ALL), feed.open(ALL, place) as events:
            await anext(events)
        await wait_for(lambda: not list_streams(mongod, name), "both streams to be gone")
        assert watcher.subscribers == 0
        async with feed.open(ALL, place) as events:
            assert (await anext(events)).row["amount"] == 0


async def test_a_slow_subscriber_is_told_and_cut_off(
    reader_environment: DatabaseEnvironment, collection: _Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A subscriber who does not read is cut off beyond a limit, others are not; its last id leads to the rest."""
    monkeypatch.setattr(subscription, "MOST_EVENTS", 50)
    async with run_feed(reader_environment) as (feed, watcher), feed.open(ALL) as slow, feed.open(ALL) as quick:
        collection.insert_one({"amount": 0})
        assert (await anext(slow)).row["amount"] == 0
        numbers: list[int] = []
        for first in range(1, 201, 20):
            collection.insert_many({"amount": first + number} for number in range(20))
            while first + 19 not in numbers:
                numbers += [event.row["amount"] for event in await quick.read(60)]
        assert numbers == list(range(201))
        with pytest.raises(LiveTooSlowError):
            await slow.read(60)
        assert watcher.cut_off == ["LIVE_TOO_SLOW"]
        async with feed.open(ALL, slow.id) as again:
            assert [(await anext(again)).row["amount"] for _ in range(200)] == list(range(1, 201))


async def test_a_large_document_is_told(reader_environment: DatabaseEnvironment, collection: _Collection) -> None:
    """A document's unknown fields may be as large as MongoDB allows."""
    async with run_feed(reader_environment) as (feed, _), feed.open(ALL) as events:
        collection.insert_one({"_id": "large", "foreign": "x" * 16_700_000})
        assert (await anext(events)).row == {"_id": "large"}


async def test_a_dropped_collection_goes_on(
    reader_environment: DatabaseEnvironment, collection: _Collection, mongod: EmbeddedServer
) -> None:
    """When the collection is dropped and recreated, current and returning subscribers keep receiving."""
    async with run_feed(reader_environment) as (feed, _), feed.open(ALL) as events:
        place = events.id
        collection.insert_one({"_id": "before"})
        assert (await anext(events)).row["_id"] == "before"
        with open_sync_client(mongod.admin) as client:
            client[reader_environment.database].drop_collection(COLLECTION)
        collection.insert_one({"_id": "after"})
        assert (await anext(events)).row["_id"] == "after"
    async with run_feed(reader_environment) as (feed, _), feed.open(ALL, place) as events:
        assert [(await anext(events)).row["_id"] for _ in range(2)] == ["before", "after"]


async def test_a_single_server_has_nothing_live(tmp_path: Path) -> None:
    """On a server that is not a replica set every subscription is refused, with the remedy."""
    with run_crashed_mongod(tmp_path) as address:
        async with run_feed(DatabaseEnvironment(uri=f"mongodb://{address}/shop")) as (feed, watcher):
            for _ in range(2):
                with pytest.raises(LiveUnavailableError, match="replica set"):
                    async with feed.open(ALL):
                        pass
            assert watcher.subscribers == 0


async def test_a_user_without_the_right_has_nothing_live(
    environment: DatabaseEnvironment, mongod: EmbeddedServer
) -> None:
    """A user who may find but not follow changes is refused with the right to grant."""
    password = secrets.token_urlsafe()
    with open_sync_client(mongod.admin) as client:
        database = client[environment.database]
        privilege = {"resource": {"db": environment.database, "collection": COLLECTION}, "actions": ["find"]}
        database.command("createRole", "finder", privileges=[privilege], roles=[])
        database.command("createUser", "finder", pwd=password, roles=["finder"])
    async with run_feed(environment.with_credentials(Credentials("finder", password))) as (feed, _):
        with pytest.raises(LiveUnavailableError, match="changeStream"):
            async with feed.open(ALL):
                pass


async def test_a_place_that_is_no_longer_kept_is_refused(tmp_path: Path) -> None:
    """A position whose events have left the oplog is refused; nothing is skipped."""
    with run_replica_set(tmp_path, members=1) as replicas:
        provision(replicas.admin)
        collection = replicas.client.get_default_database()[COLLECTION]
        async with run_feed(replicas.admin) as (feed, _), feed.open(ALL) as events:
            place = events.id
            collection.insert_one({"_id": "event"})
            of_event = (await anext(events)).id
        oldest = replicas.client.local["oplog.rs"].find_one()
        assert oldest
        other = replicas.client.get_default_database()["other"]
        while replicas.client.local["oplog.rs"].find_one({}, {"ts": 1}) == {"ts": oldest["ts"]}:
            other.insert_many({"text": secrets.token_bytes(1_000_000)} for _ in range(20))
            # Entries newer than the last checkpoint stay.
            replicas.client.admin.command("fsync")
        async with run_feed(replicas.admin) as (feed, _):
            for lost in (place, of_event):
                with pytest.raises(LiveEventUnknownError, match="no longer kept"):
                    async with feed.open(ALL, lost):
                        pass


@pytest.mark.parametrize("place", ["00", "82", "3C" * 30])
async def test_a_place_that_was_made_up_is_refused(reader_environment: DatabaseEnvironment, place: str) -> None:
    """A made-up event id is refused as unknown, whatever the server's error, and no other subscriber is affected."""
    made_up = encode_event_id(place, reader_environment.database)
    async with run_feed(reader_environment) as (feed, watcher), feed.open(ALL):
        with pytest.raises(LiveEventUnknownError):
            async with feed.open(ALL, made_up):
                pass
        assert watcher.cut_off == []


async def test_an_election_is_a_pause(tmp_path: Path) -> None:
    """Whatever the primary does, each acknowledged transaction arrives once, and positions stay valid."""
    with run_replica_set(tmp_path) as replicas:
        provision(replicas.admin)
        collection = replicas.client.get_default_database().get_collection(
            COLLECTION, write_concern=WriteConcern("majority")
        )
        async with run_feed(replicas.admin) as (feed, watcher), feed.open(ALL) as events:
            place, numbers = events.id, []

            async def add(number: int) -> None:
                await asyncio.to_thread(collection.insert_one, {"amount": number})
                numbers.append((await anext(events)).row["amount"])

            await add(0)
            await asyncio.to_thread(replicas.step_down)
            await asyncio.to_thread(replicas.await_primary)
            await add(1)
            killed = await asyncio.to_thread(replicas.await_primary)
            killed.kill()
            await asyncio.to_thread(replicas.await_primary)
            await add(2)
            killed.start()
            await asyncio.to_thread(replicas.await_secondaries)
            hung = await asyncio.to_thread(replicas.await_primary)
            hung.stop()
            await asyncio.to_thread(replicas.await_primary)
            await add(3)
            hung.resume()
            assert numbers == [0, 1, 2, 3]
            assert watcher.absences >= 1
            async with feed.open(ALL, place) as again:
                assert [(await anext(again)).row["amount"] for _ in range(4)] == [0, 1, 2, 3]
        async with run_feed(replicas.admin) as (feed, _), feed.open(ALL, place) as events:
            assert [(await anext(events)).row["amount"] for _ in range(4)] == [0, 1, 2, 3]


async def test_an_absence_is_waited_for_and_then_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream resumes when its server returns and ends after a long absence; new subscribers are refused at once."""
    with run_replica_set(tmp_path, members=1) as replicas:
        provision(replicas.admin)
        collection = replicas.client.get_default_database()[COLLECTION]
        (member,) = replicas.members
        async with run_feed(replicas.admin) as (feed, watcher), feed.open(ALL) as events:
            member.kill()
            await wait_for(lambda: watcher.absences, "the absence")
            await wait_for(lambda: watcher.lag >= 1, "the lag of a stream that cannot be read")
            with pytest.raises(DatabaseUnavailableError):
                async with feed.open(ALL):
                    pass
            member.start()
            await asyncio.to_thread(replicas.await_primary)
            await asyncio.to_thread(collection.insert_one, {"_id": "back"})
            assert (await anext(events)).row["_id"] == "back"
            monkeypatch.setattr(shared_stream, "_LONGEST_ABSENCE_SECONDS", 0.5)
            member.kill()
            with pytest.raises(DatabaseUnavailableError):
                await anext(events)
            assert watcher.cut_off == ["DATABASE_UNAVAILABLE"]
            await wait_for(lambda: watcher.lag == 0, "a stream that has ended and is behind nobody")
            last = events.id
            member.start()
            await asyncio.to_thread(replicas.await_primary)
            await asyncio.to_thread(collection.insert_one, {"_id": "again"})
            async with feed.open(ALL, last) as again:
                assert (await anext(again)).row["_id"] == "again"


async def test_a_stop_ends_whoever_is_catching_up(
    reader_environment: DatabaseEnvironment, collection: _Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the feed stops, subscribers who are catching up end too, with an id that leads to the rest."""
    monkeypatch.setattr(shared_stream, "_REPLAY_PLAN", replace(shared_stream._REPLAY_PLAN, batch=5))  # noqa: SLF001 - to make the replay slow
    monkeypatch.setattr(shared_stream, "_BATCH", 5)
    async with run_feed(reader_environment) as (feed, _), feed.open(ALL) as events:
        place = events.id
        collection.insert_many({"amount": number} for number in range(50))
        await anext(events)
    async with run_feed(reader_environment) as (feed, _):
        async with feed.open(ALL, place) as events:
            feed.stop()
            numbers = [event.row["amount"] async for event in events]
            place = events.id
        assert 0 < len(numbers) < 50
    async with run_feed(reader_environment) as (feed, _), feed.open(ALL, place) as events:
        while len(numbers) < 50:
            numbers += [event.row["amount"] for event in await events.read(60)]
    assert numbers == list(range(50))
