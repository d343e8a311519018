"""When memory cannot be trusted, it gives no counts, the server's are right, and memory is rebuilt."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection

from database.change_tail import ChangeTail
from database.client import open_client, open_sync_client
from database.embedded import EmbeddedServer
from database.environment import Credentials, DatabaseEnvironment
from database.errors import DatabaseTimeoutError, DatabaseUnavailableError
from database.index import COLLECTION
from database.provision import provision
from database.query import CardWindow, TransactionFilter, build_count_plan
from database.repository import TransactionRepository
from database.rollup import open_rollup
from tests.crashed import run_crashed_mongod
from tests.recorder import CommandRecorder
from tests.replica import run_replica_set
from tests.rollup import HOUR_MS, NOW_MS, Watcher, ask, run_rollup, wait_for
from tests.waiting import DEADLINE_SECONDS

_Collection = Collection[dict[str, Any]]

WINDOW = CardWindow("visa", NOW_MS - 90 * 24 * HOUR_MS, NOW_MS)
PLAN = build_count_plan(TransactionFilter(WINDOW.since, WINDOW.until, WINDOW.card_type))


def build_documents(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [{"_id": first + i, "date": NOW_MS - i * 1000, "cardType": "Visa"} for i in range(count)]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rebuild without the usual pause."""
    monkeypatch.setattr("database.rollup._FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr("database.rollup._LONGEST_PAUSE_SECONDS", 0.1)


@pytest.fixture
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for memory as long as it takes: on a busy machine a count may otherwise be given up or retried."""
    monkeypatch.setattr("database.rollup._LONGEST_WAIT_SECONDS", DEADLINE_SECONDS)


async def test_a_dropped_collection_is_counted_anew(
    environment: DatabaseEnvironment, collection: _Collection, mongod: EmbeddedServer
) -> None:
    """A count after a drop never includes earlier documents, and memory is rebuilt."""
    collection.insert_many(build_documents(10))
    async with run_rollup(environment) as (rollup, watcher):
        assert await ask(rollup, WINDOW) == 10
        with open_sync_client(mongod.admin) as admin:
            admin[environment.database].drop_collection(COLLECTION)
        assert await rollup.find_count(WINDOW) in {None, 0}
        assert await ask(rollup, WINDOW) == 0
        collection.insert_many(build_documents(5))
        assert await ask(rollup, WINDOW) == 5
        assert watcher.reasons


async def test_a_renamed_collection_is_counted_anew(
    environment: DatabaseEnvironment, collection: _Collection, mongod: EmbeddedServer
) -> None:
    """A collection renamed over another brings its own counts."""
    collection.insert_many(build_documents(10))
    with open_sync_client(replace(mongod.admin, database=environment.database)) as admin:
        database = admin[environment.database]
        database["other"].insert_many(build_documents(3))
        async with run_rollup(environment) as (rollup, _):
            assert await ask(rollup, WINDOW) == 10
            database["other"].rename(COLLECTION, dropTarget=True)
            assert await rollup.find_count(WINDOW) in {None, 3}
            assert await ask(rollup, WINDOW) == 3


@pytest.mark.parametrize("write", ["delete", "update"])
async def test_without_old_documents_a_change_ends_what_memory_knows(
    environment: DatabaseEnvironment, collection: _Collection, write: str
) -> None:
    """Without pre-images on the server, a deletion or a changed date causes a rebuild, and no other change does."""
    collection.insert_many(build_documents(10))
    collection.database.command("collMod", COLLECTION, changeStreamPreAndPostImages={"enabled": False})
    async with run_rollup(environment) as (rollup, watcher):
        collection.insert_many(build_documents(1, first=10))
        collection.update_one({"_id": 1}, {"$set": {"amount": 5}})
        assert await ask(rollup, WINDOW) == 11
        assert watcher.reasons == []
        if write == "delete":
            collection.delete_one({"_id": 1})
        else:
            collection.update_one({"_id": 1}, {"$set": {"date": 0}})
        assert await rollup.find_count(WINDOW) in {None, 10}
        assert await ask(rollup, WINDOW) == 10
        assert "does not keep" in watcher.reasons[0]


async def test_a_stream_that_is_behind_gives_no_count(
    reader_environment: DatabaseEnvironment, collection: _Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the stream is not read, memory gives no count and the repository counts on the server."""
    collection.insert_many(build_documents(10))
    gate, step = asyncio.Event(), ChangeTail._step  # noqa: SLF001 - nothing else holds the stream back
    gate.set()

    async def step_if_open(tail: ChangeTail, session: Any) -> None:
        await gate.wait()
        await step(tail, session)

    monkeypatch.setattr(ChangeTail, "_step", step_if_open)
    async with open_client(reader_environment) as client, run_rollup(reader_environment) as (rollup, watcher):
        repository = TransactionRepository(client, reader_environment.database, timeout_ms=10_000, rollup=rollup)
        assert await ask(rollup, WINDOW) == 10
        gate.clear()
        for number in range(3):
            collection.insert_one({**build_documents(1)[0], "_id": f"late {number}"})
            assert await repository.count(PLAN) == 11 + number
        assert watcher.sources[-1] is False
        gate.set()
        assert await ask(rollup, WINDOW) == 13


async def test_a_single_server_is_counted_plainly(tmp_path: Path) -> None:
    """A standalone server has no change stream, so the server counts, and the reason is reported."""
    with run_crashed_mongod(tmp_path) as address:
        environment = DatabaseEnvironment(uri=f"mongodb://{address}/shop")
        with open_sync_client(environment) as client:
            client.shop[COLLECTION].insert_many(build_documents(10, first=1_000))
        async with open_client(environment) as client, run_rollup(environment) as (rollup, watcher):
            repository = TransactionRepository(client, "shop", timeout_ms=10_000, rollup=rollup)
            assert await repository.count(PLAN) == 10
            assert set(watcher.reasons) == {"the database is not a replica set"}


async def test_memory_outlives_an_election(tmp_path: Path) -> None:
    """When another member becomes primary, the stream resumes where it was, and no write is missed."""
    with run_replica_set(tmp_path) as replicas:
        provision(replicas.admin)
        collection = replicas.client.get_default_database()[COLLECTION]
        collection.insert_many(build_documents(10))
        async with run_rollup(replicas.admin) as (rollup, watcher):
            assert await ask(rollup, WINDOW) == 10
            replicas.step_down()
            replicas.await_primary()
            collection.insert_many(build_documents(10, first=10))
            collection.delete_one({"_id": 1})
            assert await ask(rollup, WINDOW) == 19
            assert (len(watcher.builds), watcher.reasons) == (1, [])
            replicas.await_primary().kill()
            replicas.await_primary()
            collection.insert_many(build_documents(1, first=20))
            assert await ask(rollup, WINDOW) == 20


async def test_a_server_that_was_away_is_followed_again(tmp_path: Path) -> None:
    """While the server hangs, a count fails and the stream lags; once it resumes or restarts, memory counts again."""
    with run_replica_set(tmp_path, members=1) as replicas:
        provision(replicas.admin)
        collection = replicas.client.get_default_database()[COLLECTION]
        collection.insert_many(build_documents(10))
        (member,) = replicas.members
        async with open_client(replicas.admin) as client, run_rollup(replicas.admin) as (rollup, watcher):
            repository = TransactionRepository(client, replicas.admin.database, timeout_ms=1_000, rollup=rollup)
            assert await ask(rollup, WINDOW) == 10
            assert watcher.lag == 0
            member.stop()
            with pytest.raises((DatabaseTimeoutError, DatabaseUnavailableError)):
                await repository.count(PLAN)
            await wait_for(lambda: watcher.lag >= 2, "the lag of a stream that cannot be read")
            member.resume()
            collection.insert_many(build_documents(1, first=10))
            assert await ask(rollup, WINDOW) == 11
            assert watcher.lag < 2
            member.kill()
            member.start()
            replicas.await_primary()
            collection.insert_many(build_documents(1, first=11))
            assert await ask(rollup, WINDOW) == 12


@pytest.mark.usefixtures("_patient")
@pytest.mark.parametrize("size", [10, 3_000])
async def test_a_count_costs_one_command(
    reader_environment: DatabaseEnvironment, collection: _Collection, size: int
) -> None:
    """Whatever the number of documents, a count queries the server for its time and nothing else."""
    collection.insert_many(build_documents(size))
    recorder, watcher = CommandRecorder(), Watcher()
    async with (
        open_client(reader_environment, [recorder]) as client,
        open_rollup(client, reader_environment.database, watcher) as rollup,
    ):
        await wait_for(lambda: watcher.builds, "the counts")
        assert await ask(rollup, WINDOW) == size
        # A check of the change stream, the build, the stream, and the dates of the one edge hour that holds any.
        assert recorder.names.count("aggregate") == 4
        recorder.commands.clear()
        assert await ask(rollup, WINDOW) == size
        # The stream is read continuously, with or without queries.
        assert [name for name in recorder.names if name != "getMore"] == ["hello"]


@pytest.mark.usefixtures("_patient")
async def test_many_questions_share_a_command(reader_environment: DatabaseEnvironment, collection: _Collection) -> None:
    """A hundred concurrent counts share one command, sent after the last of them arrived."""
    collection.insert_many(build_documents(10))
    recorder = CommandRecorder()
    async with (
        open_client(reader_environment, [recorder]) as client,
        open_rollup(client, reader_environment.database, watcher := Watcher()) as rollup,
    ):
        await wait_for(lambda: watcher.builds, "the counts")
        await ask(rollup, WINDOW)
        recorder.commands.clear()
        assert set(await asyncio.gather(*(rollup.find_count(WINDOW) for _ in range(100)))) == {10}
        assert recorder.names.count("hello") == 1


async def test_an_hour_of_too_many_dates_is_counted_plainly(
    environment: DatabaseEnvironment, collection: _Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If an edge of a window holds more dates than are loaded, memory gives no count; whole hours it still counts."""
    monkeypatch.setattr("database.tally.MOST_DATES", 9)
    collection.insert_many(build_documents(10))
    whole = replace(WINDOW, until=(NOW_MS // HOUR_MS + 1) * HOUR_MS - 1)
    async with run_rollup(environment) as (rollup, watcher):
        assert await ask(rollup, whole) == 10
        assert await rollup.find_count(WINDOW) is None
        assert watcher.reasons == []


@pytest.mark.usefixtures("_patient")
@pytest.mark.parametrize("odd", [{"cardType": "Carte Émeraude"}, {"cardType": ["Visa"]}, {"date": NOW_MS + 0.5}])
async def test_a_document_that_memory_cannot_judge_is_told(
    reader_environment: DatabaseEnvironment, collection: _Collection, odd: dict[str, Any]
) -> None:
    """Each count that is left to the database because only it can compare a document is noted as such."""
    collection.insert_many(build_documents(3))
    async with run_rollup(reader_environment) as (rollup, watcher):
        assert await ask(rollup, WINDOW) == 3
        collection.insert_one(build_documents(1, first=3)[0] | odd)
        assert watcher.odd == 0
        assert await rollup.find_count(WINDOW) is None
        assert (watcher.odd, watcher.reasons) == (1, [])


async def test_a_collection_of_too_many_documents_is_counted_plainly(
    environment: DatabaseEnvironment, collection: _Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A collection with too many documents to count at the start is left to the server, and the log says how many."""
    monkeypatch.setattr("database.rollup.MOST_DOCUMENTS", 9)
    collection.insert_many(build_documents(10))
    async with run_rollup(environment) as (rollup, watcher):
        assert "too many" in watcher.reasons[0]
        assert await rollup.find_count(WINDOW) is None
        assert watcher.builds == []


async def test_all_batches_of_the_start_are_counted(
    environment: DatabaseEnvironment, collection: _Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hours and cards that the server returns in several batches are all counted."""
    monkeypatch.setattr("database.rollup._BUILD_BATCH", 3)
    collection.insert_many({"date": NOW_MS - hour * HOUR_MS, "cardType": "Visa"} for hour in range(10))
    async with run_rollup(environment) as (rollup, watcher):
        assert await ask(rollup, WINDOW) == 10
        assert watcher.builds == [10]


async def test_a_user_who_may_not_follow_changes_is_counted_plainly(
    environment: DatabaseEnvironment, collection: _Collection, admin: MongoClient[dict[str, Any]]
) -> None:
    """For a user who may read but not follow changes, the server counts and nothing is built."""
    collection.insert_many(build_documents(10))
    nobody = Credentials("nobody", "nobody's password")
    find = {"resource": {"db": environment.database, "collection": COLLECTION}, "actions": ["find", "collStats"]}
    admin[environment.database].command("createRole", "finder", privileges=[find], roles=[])
    admin[environment.database].command("createUser", nobody.username, pwd=nobody.password, roles=["finder"])
    recorder = CommandRecorder()
    async with run_rollup(environment.with_credentials(nobody), recorder) as (rollup, watcher):
        await wait_for(lambda: len(watcher.reasons) > 1, "a second try")
        assert "Unauthorized" in watcher.reasons[0]
        assert set(recorder.names) == {"hello", "aggregate"}
        pipelines = [command["pipeline"] for command in recorder.commands if "aggregate" in command]
        assert all("$changeStream" in stages[0] for stages in pipelines), "the documents are not counted in vain"
        assert await rollup.find_count(WINDOW) is None
        assert watcher.builds == []
