"""One connection is silently lost while the server responds on all others: its users continue on another."""

import asyncio
from typing import Any

import pytest
from pymongo.collection import Collection

from database import change_tail, rollup, stream
from database.client import open_client
from database.environment import DatabaseEnvironment
from database.query import CardWindow, RelativeFilter, TransactionFilter, build_count_plan
from database.repository import TransactionRepository
from tests.integration.test_feed import run_feed
from tests.relay import run_relay
from tests.rollup import HOUR_MS, NOW_MS, Watcher, ask, run_rollup, wait_for
from tests.waiting import DEADLINE_SECONDS

_Collection = Collection[dict[str, Any]]
WINDOW = CardWindow("visa", NOW_MS - 90 * 24 * HOUR_MS, NOW_MS)


async def test_live_transactions_go_on(
    reader_environment: DatabaseEnvironment, collection: _Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the change stream's connection is lost, no subscriber misses or repeats a transaction, new ones included."""
    # Longer than a read of the stream waits for a transaction.
    monkeypatch.setattr(stream, "_LONGEST_READING_SECONDS", 2.0)
    async with (
        run_relay(reader_environment) as (relay, environment),
        run_feed(environment) as (feed, watcher),
        feed.open(RelativeFilter()) as events,
    ):
        relay.lose(b"getMore")
        await relay.lost.wait()
        collection.insert_many({"_id": number} for number in range(3))
        found: list[object] = []
        async with asyncio.timeout(DEADLINE_SECONDS):
            while len(found) < 3:
                found += [event.row["_id"] for event in await events.read()]
        assert found == [0, 1, 2]
        assert watcher.absences == 1
        async with feed.open(RelativeFilter()) as others:
            collection.insert_one({"_id": 3})
            assert [event.row["_id"] for event in await others.read()] == [3]


async def test_counts_from_memory_come_back(
    reader_environment: DatabaseEnvironment, collection: _Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the connection of the change stream, or of the clock query, is lost, counts come from memory again."""
    monkeypatch.setattr(stream, "_LONGEST_READING_SECONDS", 0.5)
    monkeypatch.setattr(change_tail, "ANSWER_SECONDS", 0.5)
    collection.insert_one({"date": NOW_MS, "cardType": "Visa"})
    async with (
        run_relay(reader_environment) as (relay, environment),
        run_rollup(environment) as (counts, _),
    ):
        for number, mark in enumerate((b"getMore", b"hello\0\1\0\0\0\3lsid"), 2):
            relay.lose(mark)
            while not relay.lost.is_set():
                await counts.find_count(WINDOW)
            collection.insert_one({"date": NOW_MS, "cardType": "Visa"})
            assert await ask(counts, WINDOW) == number


async def test_a_count_whose_dates_are_lost_is_the_servers(
    reader_environment: DatabaseEnvironment, collection: _Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a connection is lost while memory loads missing dates, the server counts, within the time limit."""
    monkeypatch.setattr(rollup, "_LONGEST_LOAD_MS", 250)
    collection.insert_one({"date": NOW_MS, "cardType": "Visa"})
    watcher = Watcher()
    plan = build_count_plan(TransactionFilter(WINDOW.since, WINDOW.until, WINDOW.card_type))
    async with (
        run_relay(reader_environment) as (relay, environment),
        open_client(environment) as client,
        rollup.open_rollup(client, environment.database, watcher) as counts,
    ):
        repository = TransactionRepository(client, environment.database, timeout_ms=1_000, rollup=counts)
        await wait_for(lambda: watcher.builds, "the counts")
        relay.lose(b"$push")
        while not relay.lost.is_set():
            assert await repository.count(plan) == 1
        assert watcher.sources[-1] is False
        assert await ask(counts, WINDOW) == 1
