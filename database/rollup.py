"""Exact counts of one card in a window, from memory: built from a snapshot and updated by the change stream.

A count reflects a moment at or after the request's arrival: the primary reports its time, and the stream must have been
read up to it. Never return a count that is in doubt: the repository then counts on the server.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

from bson.timestamp import Timestamp
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

from database.cell import HOUR_MS, LARGEST_DATE, Cell, build_card, build_hour, find_cell, get_hour, is_plain
from database.change_tail import ChangeTail, check_changes, read_time
from database.cluster_clock import ClusterClock
from database.index import CASE_INSENSITIVE, COLLECTION
from database.monitor import UPKEEP
from database.query import CardWindow
from database.stream import Change, StreamEndedError
from database.tally import MOST_DATES, Dates, Tally, UnfitError
from database.task import forget_failure
from database.timeout import ANSWER_SECONDS, answered_within

# At 3 s per million documents this takes 150 s; MongoDB keeps a snapshot for 300 s by default.
MOST_DOCUMENTS = 50_000_000
_LONGEST_BUILD_MS = 240_000
_BUILD_BATCH = 1_000
_LONGEST_WAIT_SECONDS = 0.1
_LONGEST_LOAD_MS = 1_000
# After a timeout, count on the server for this long: the stream will not catch up for the next request either.
_PLAIN_SECONDS = 1.0
_FIRST_PAUSE_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 600.0
# One round reads a window's two edges; more are needed only if another request evicts one meanwhile.
_MOST_ROUNDS = 3


class RollupObserver(Protocol):
    """Called by a rollup to report its state; no method may raise."""

    def note_count(self, *, from_memory: bool) -> None:
        """Note whether a count of a card in a window came from memory or from the database."""

    def note_lag(self, seconds: int) -> None:
        """Record the change stream's lag behind the server, in whole seconds; 0 if there is no stream."""

    def note_build(self, documents: int, seconds: float) -> None:
        """Note that counts come from memory from now on, and how many documents and seconds the build took."""

    def note_end(self, reason: str) -> None:
        """Note that counts come from the database from now on, and why."""

    def note_odd(self) -> None:
        """Note that a count was left to the database because of a document that only the database can compare."""


class _State:
    """A tally and the stream that updates it; they are discarded together."""

    def __init__(self, tally: Tally, tail: ChangeTail) -> None:
        self.tally = tally
        self.tail = tail
        self.loads: dict[Cell, asyncio.Task[None]] = {}


class Rollup:
    """The counts of one worker; `open_rollup` keeps them up to date."""

    def __init__(self, client: AsyncMongoClient[dict[str, Any]], database: str, observer: RollupObserver) -> None:
        """Use an open client, whose user may read the collection and its changes."""
        self._client = client
        self._database = client[database]
        self._observer = observer
        self._clock = ClusterClock(client)
        self._state: _State | None = None
        self._plain_until = 0.0

    async def find_count(self, window: CardWindow) -> int | None:
        """Return the exact number of a window's documents at a moment after this call, or None if it is unknown."""
        found = None
        if (
            self._state
            and is_plain(window.card_type)
            and -LARGEST_DATE < window.since <= window.until < LARGEST_DATE
            and time.monotonic() >= self._plain_until
        ):
            with suppress(PyMongoError, StreamEndedError, UnfitError):
                found = await self._find_count(window)
        self._observer.note_count(from_memory=found is not None)
        return found

    async def _find_count(self, window: CardWindow) -> int | None:
        moment: Timestamp | None = None
        for _ in range(_MOST_ROUNDS):
            try:
                async with asyncio.timeout(_LONGEST_WAIT_SECONDS):
                    moment = moment or await self._clock.read()
                    if self._state is None:
                        return None
                    state = self._state
                    await state.tail.reach(moment)
            except TimeoutError:
                self._plain_until = time.monotonic() + _PLAIN_SECONDS
                return None
            # Do not await from here to the count, so that it reflects a single moment.
            if state is not self._state or self._is_odd(state):
                return None
            if (found := state.tally.count(window)) is not None:
                return found
            missing = state.tally.list_unknown(window)
            if not all(map(state.tally.is_small, missing)):
                return None
            await asyncio.gather(*(self._load(state, cell) for cell in missing))
        return None

    def _is_odd(self, state: _State) -> bool:
        if state.tally.odd:
            self._observer.note_odd()
        return bool(state.tally.odd)

    async def _load(self, state: _State, cell: Cell) -> None:
        """Wait for the dates of a cell; concurrent callers share one query."""
        task = state.loads.get(cell)
        if task is None:
            # The stream may have advanced since the caller's check: into the middle of a database transaction, whose
            # remaining changes would be counted twice, or to a document that only the server can match.
            if state.tally.odd or not state.tail.is_whole:
                return
            dates, moment = state.tally.begin_dates(cell), state.tail.position
            task = state.loads[cell] = asyncio.create_task(self._read_dates(state, cell, dates, moment))
            task.add_done_callback(forget_failure)
        await asyncio.shield(task)

    async def _read_dates(self, state: _State, cell: Cell, dates: Dates, moment: Timestamp) -> None:
        hours = {"$gte": cell.hour * HOUR_MS, "$lt": (cell.hour + 1) * HOUR_MS}
        pipeline = [
            {"$match": {"cardType": {"$eq": cell.card}, "date": hours}},
            {"$limit": MOST_DATES + 1},
            {"$group": {"_id": None, "dates": {"$push": "$date"}}},
        ]
        command = {
            "aggregate": COLLECTION,
            "pipeline": pipeline,
            "cursor": {},
            "collation": CASE_INSENSITIVE,
            "readConcern": {"level": "snapshot", "atClusterTime": moment},
            "maxTimeMS": _LONGEST_LOAD_MS,
        }
        try:
            # A query without a timeout could block every caller that needs this cell.
            async with answered_within(2 * _LONGEST_LOAD_MS / 1000):
                reply = await self._database.command(command)
            batch = reply["cursor"]["firstBatch"]
            # MOST_DATES dates take the event loop 15 ms to decode and another 8 ms to fill in.
            await asyncio.sleep(0)
            dates.fill(int(date) for date in batch[0]["dates"]) if batch else dates.fill(())
        except BaseException:
            state.tally.drop_dates(cell)
            self._plain_until = time.monotonic() + _PLAIN_SECONDS
            raise
        finally:
            del state.loads[cell]

    async def keep(self) -> None:
        """Build the counts and follow the changes, and start over after a failure, until cancelled."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            begun = time.monotonic()
            try:
                await self._keep_once()
            except Exception as error:  # noqa: BLE001 - any failure here only moves counting to the server
                self._observer.note_end(_describe(error))
            finally:
                self._state = None
            if time.monotonic() - begun > _LONGEST_PAUSE_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _keep_once(self) -> None:
        begun = time.monotonic()
        start = await read_time(self._client)
        # Without this check, a user without the privilege would scan the whole collection at each try, to no avail.
        await check_changes(self._client, self._database.name, start)
        tally = Tally()
        async with answered_within(_LONGEST_BUILD_MS / 1000 + ANSWER_SECONDS):
            documents = await self._build(tally, start)

        def apply(changes: Sequence[Change]) -> None:
            for change in changes:
                apply_change(tally, change)

        tail = ChangeTail(self._client, self._database.name, start, [apply], self._observer.note_lag)
        following = asyncio.create_task(tail.follow())
        try:
            await self._await_first_reach(tail, following)
            self._state = _State(tally, tail)
            self._observer.note_build(documents, time.monotonic() - begun)
            await following
        finally:
            following.cancel()
            await asyncio.wait([following])

    async def _await_first_reach(self, tail: ChangeTail, following: "asyncio.Task[None]") -> None:
        """Wait until the stream has reached the present; raise the error that ended it before that."""
        reached = asyncio.create_task(tail.reach(await read_time(self._client)))
        try:
            await asyncio.wait([reached, following], return_when=asyncio.FIRST_COMPLETED)
        finally:
            reached.cancel()
        if following.done():
            following.result()

    async def _build(self, tally: Tally, moment: Timestamp) -> int:
        """Count all documents, as of a moment, by hour and card, and return their number."""
        estimated = await self._database[COLLECTION].estimated_document_count(comment=UPKEEP)
        if estimated > MOST_DOCUMENTS:
            raise UnfitError(f"the documents are too many to be counted at the start ({estimated:,})")
        key = {"hour": build_hour("$date"), "card": build_card("$cardType")}
        command: dict[str, Any] = {
            "aggregate": COLLECTION,
            "pipeline": [{"$group": {"_id": key, "number": {"$sum": 1}}}],
            "cursor": {"batchSize": _BUILD_BATCH},
            "readConcern": {"level": "snapshot", "atClusterTime": moment},
            "maxTimeMS": _LONGEST_BUILD_MS,
        }
        documents = 0
        async with self._client.start_session(causal_consistency=False) as session:
            while True:
                cursor = (await self._database.command(command, session=session, comment=UPKEEP))["cursor"]
                for group in cursor.get("firstBatch") or cursor.get("nextBatch", ()):
                    tally.add(find_cell(group["_id"]["hour"], group["_id"]["card"]), group["number"])
                    documents += group["number"]
                if not cursor["id"]:
                    return documents
                command = {"getMore": cursor["id"], "collection": COLLECTION, "batchSize": _BUILD_BATCH}

    def close(self) -> None:
        """Cancel the requests that wait for the cluster time."""
        self._clock.close()


@asynccontextmanager
async def open_rollup(
    client: AsyncMongoClient[dict[str, Any]], database: str, observer: RollupObserver
) -> AsyncIterator[Rollup]:
    """Keep counts in the background for the duration of the block."""
    rollup = Rollup(client, database, observer)
    keeping = asyncio.create_task(rollup.keep())
    try:
        yield rollup
    finally:
        rollup.close()
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping


def apply_change(tally: Tally, change: Change) -> None:
    """Apply a change to a tally.

    Raises:
        UnfitError: the effect of the change on the counts is unknown.
    """
    kind = change["operationType"]
    if kind not in {"insert", "update", "replace", "delete"}:
        raise UnfitError(f"the collection has met a change of another kind ({kind})")
    if kind == "update" and not change["touches"]:
        return
    if kind != "insert":
        if not change["had"]:
            raise UnfitError("a document was changed or deleted, and the server does not keep what it was before")
        tally.change(find_cell(get_hour(change["oldDate"]), change["oldCard"]), change["oldDate"], -1)
    if kind != "delete":
        if not change["has"]:
            raise UnfitError("a document was changed, and the server does not keep what it was after")
        tally.change(find_cell(get_hour(change["date"]), change["card"]), change["date"], 1)


def _describe(error: Exception) -> str:
    """Describe the reason without the server's or the driver's message, which may quote a document."""
    if isinstance(error, OperationFailure):
        name = (error.details or {}).get("codeName")
        return f"the database answered with an error (code {error.code}{f', {name}' if name else ''})"
    return str(error) if isinstance(error, StreamEndedError | UnfitError) else type(error).__name__
