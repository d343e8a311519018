"""A rollup as a worker keeps it, with an observer; and the server's own count to compare it with."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pymongo.collection import Collection

from database.client import open_client
from database.environment import DatabaseEnvironment
from database.index import CASE_INSENSITIVE
from database.query import CardWindow
from database.rollup import Rollup, open_rollup
from tests.recorder import CommandRecorder
from tests.waiting import DEADLINE_SECONDS

HOUR_MS = 3_600_000
NOW_MS = 1_795_000_000_123


@dataclass
class Watcher:
    """An observer that records its notifications."""

    sources: list[bool] = field(default_factory=list)
    builds: list[int] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    odd: int = 0
    lag: int = 0

    def note_count(self, *, from_memory: bool) -> None:
        self.sources.append(from_memory)

    def note_lag(self, seconds: int) -> None:
        self.lag = seconds

    def note_build(self, documents: int, seconds: float) -> None:  # noqa: ARG002 - part of the observer protocol
        self.builds.append(documents)

    def note_end(self, reason: str) -> None:
        self.reasons.append(reason)

    def note_odd(self) -> None:
        self.odd += 1


async def wait_for(condition: Callable[[], object], what: str) -> None:
    """Let the event loop run until `condition()` is true."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():  # noqa: ASYNC110 - arbitrary conditions signal no event
            await asyncio.sleep(0.005)
    assert condition(), what


@asynccontextmanager
async def run_rollup(
    environment: DatabaseEnvironment, *recorders: CommandRecorder
) -> AsyncIterator[tuple[Rollup, Watcher]]:
    """Build a rollup with the given credentials, and wait until its counts are built or it ended."""
    watcher = Watcher()
    client = open_client(environment, recorders)
    try:
        async with open_rollup(client, environment.database, watcher) as rollup:
            await wait_for(lambda: watcher.builds or watcher.reasons, "the counts")
            yield rollup, watcher
    finally:
        await client.close()


async def ask(rollup: Rollup, window: CardWindow) -> int:
    """Return the count from memory, retrying until there is one: on a busy machine the rollup may lag behind."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while (count := await rollup.find_count(window)) is None:  # noqa: ASYNC110 - no event signals it
            await asyncio.sleep(0.05)
    return count


def count_plainly(collection: Collection[dict[str, Any]], window: CardWindow) -> int:
    match = {"cardType": {"$eq": window.card_type}, "date": {"$gte": window.since, "$lte": window.until}}
    return collection.count_documents(match, collation=CASE_INSENSITIVE)
