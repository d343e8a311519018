"""One change stream and its subscribers, from its opening to its end.

It resumes by itself after an election or a connection loss, and delivers each transaction exactly once, in order.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from database.errors import DatabaseUnavailableError, GatewayError, LiveEventUnknownError, LiveTooSlowError
from database.event import Arrival, Encode, LiveEvent, Place
from database.feed_observer import FeedObserver
from database.history import History
from database.monitor import UPKEEP
from database.query import FIELDS, RelativeFilter
from database.repository import CODEC
from database.server_match import match_on_server
from database.stream import ChangeStream, Reading, StreamPlan, open_stream, read_moment
from database.stream_failure import LOST, may_pass, translate_failure, translate_replay_failure
from database.stream_lag import StreamLag
from database.subscription import Past, Subscription
from database.timeout import ANSWER_SECONDS, answered_within

# A batch is encoded and delivered without yielding to the event loop.
_BATCH = 100
# How long the server waits for a transaction before it reports its position; the oplog keeps a place for longer.
_WAIT_MS = 1_000
_RETRY_SECONDS = 0.2
# Longer than an election with MongoDB's defaults, and than most restarts.
_LONGEST_ABSENCE_SECONDS = 60.0
# Another worker may have read further and issued an id that this one has not reached yet.
_LONGEST_AHEAD_SECONDS = 5.0
_MOST_KEPT = 1_000
_MOST_KEPT_BYTES = 4_000_000
# Each replay costs the server about as much as a query.
_MOST_REPLAYS = 8
# Waking a subscriber takes about 30 µs of the event loop, which can do other work between two slices.
_WOKEN_AT_ONCE = 200

_STAGES: tuple[dict[str, Any], ...] = (
    {"$match": {"operationType": "insert"}},
    {
        "$project": {
            "clusterTime": 1,
            "moment": {"$toLong": "$wallTime"},
            "size": {"$bsonSize": "$fullDocument"},
            "fullDocument": dict.fromkeys(FIELDS, 1),
        }
    },
)
_PLAN = StreamPlan(options={}, stages=_STAGES, batch=_BATCH, wait_ms=_WAIT_MS, codec=CODEC)
# A replay need not wait: past changes are available at once, and later ones come from the shared stream.
_REPLAY_PLAN = StreamPlan(options={}, stages=_STAGES, batch=_BATCH, wait_ms=1, codec=CODEC)


class SharedStream:
    """One change stream; `follow` runs for its lifetime.

    Attributes:
        database: the name of the database.
        is_away: whether the database is currently away.
        opened: set once the stream is open or has failed; `check` raises its failure.
    """

    def __init__(
        self, client: AsyncMongoClient[dict[str, Any]], database: str, encode: Encode, observer: FeedObserver
    ) -> None:
        self.database = database
        self.is_away = False
        self._client = client
        self._encode = encode
        self._observer = observer
        self._lag = StreamLag(observer.note_lag)
        self._history = History("", _MOST_KEPT, _MOST_KEPT_BYTES)
        self._members: dict[tuple[RelativeFilter, bool], set[Subscription]] = {}
        self._moved = asyncio.Event()
        self._replays = asyncio.Semaphore(_MOST_REPLAYS)
        self._failure: GatewayError | None = None
        self._is_stopped = False
        self.opened = asyncio.Event()

    @property
    def end(self) -> Place:
        """The place up to which all transactions were delivered."""
        return self._history.end

    def check(self) -> None:
        """Return if the stream is alive; raise the error that ended it."""
        if self._failure is not None:
            raise type(self._failure)(str(self._failure))

    async def follow(self) -> None:
        """Deliver transactions until cancelled; if an error ends the stream, every subscriber receives it."""
        try:
            async with open_stream(self._client, self.database, _PLAN) as stream:
                reading = await stream.read(await self._find_beginning())
                self._history = History(reading.token["_data"], _MOST_KEPT, _MOST_KEPT_BYTES)
                self.opened.set()
                await self._read_on(stream)
        except PyMongoError as error:
            self._end(translate_failure(error))
        except Exception:
            # A bug must not leave subscribers waiting for ever.
            self._end(DatabaseUnavailableError("The live stream ended because of a fault; connect again."))
            raise
        finally:
            self._lag.note_end()

    async def _find_beginning(self) -> dict[str, Any]:
        """Build the option to begin now; by default the server begins at the next write, which may come much later."""
        async with answered_within(ANSWER_SECONDS):
            reply = await self._client[self.database].command("ping", comment=UPKEEP)
        # A standalone server reports no time; opening the stream there raises the proper error.
        return {"startAtOperationTime": reply["operationTime"]} if "operationTime" in reply else {}

    async def _read_on(self, stream: ChangeStream) -> None:
        away_since = 0.0
        while True:
            try:
                reading = await stream.read({"startAfter": {"_data": self.end}})
                arrivals = [Arrival(change) for change in reading.changes]
                await self._match_for_all(arrivals)
            except PyMongoError as error:
                # The next read resumes at `end`, and so repeats what was read but not delivered.
                await stream.kill()
                if not may_pass(error):
                    raise
                away_since = away_since or time.monotonic()
                if time.monotonic() - away_since > _LONGEST_ABSENCE_SECONDS:
                    raise
                self._note_away(is_away=True)
                self._lag.note_failure()
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                away_since = 0.0
                self._note_away(is_away=False)
                await self._deliver(arrivals, reading)

    def _note_away(self, *, is_away: bool) -> None:
        if is_away != self.is_away:
            self.is_away = is_away
            self._observer.note_away(is_away=is_away)

    async def _deliver(self, arrivals: Sequence[Arrival], reading: Reading) -> None:
        """Deliver a batch to its subscribers, without yielding until all have it, so that none joins in between."""
        self._history.extend(arrivals, reading.token["_data"])
        self._lag.note_reading(reading.time.time - read_moment(reading.token).time)
        woken: list[Subscription] = []
        for (wanted, masked), members in list(self._members.items()) if arrivals else ():
            events = [
                arrival.show(self.database, self._encode, masked=masked)
                for arrival in arrivals
                if arrival.matches(wanted)
            ]
            size = sum(len(event.data) for event in events)
            for member in list(members) if events else ():
                woken.append(member)
                if not member.put(events, size):
                    self.leave(member)
                    self._observer.note_cut_off(LiveTooSlowError.code)
            self._observer.note_delivered(len(events) * len(members))
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
        for number, member in enumerate(woken, 1):
            member.wake()
            if number % _WOKEN_AT_ONCE == 0:
                await asyncio.sleep(0)

    async def catch_up(self, subscription: Subscription, after: Place) -> Past:
        """Yield what was added after a place, then join the subscription to the stream; close the generator to stop.

        Raises:
            LiveEventUnknownError: those events are no longer available, or the place is not one of this stream's.
            DatabaseError: the database went away.
        """
        await self._reach(after)
        place, read = after, list[Arrival]()
        async with AsyncExitStack() as stack:
            stream = None
            while (kept := self._history.find_after(place)) is None or _list_undecided(kept, subscription.wanted):
                if self._is_stopped:
                    break
                if kept is not None:
                    await self._match_missed(kept, subscription.wanted)
                    continue
                async with self._replays:
                    # Another subscriber may have replayed the same range meanwhile.
                    if place >= self._history.start:
                        continue
                    if stream is None:
                        opening = open_stream(self._client, self.database, _REPLAY_PLAN)
                        stream = await stack.enter_async_context(opening)
                    missed, place = await self._read_piece(stream, place)
                    await self._match_missed(missed, subscription.wanted)
                read += missed[: _MOST_KEPT + 1 - len(read)]
                if place >= self._history.start:
                    self._history.extend_back(after, read)
                yield self._select(missed, subscription), place
            if self._is_stopped:
                subscription.stop()
            else:
                self._join(subscription, kept or ())

    def _join(self, subscription: Subscription, kept: Sequence[Arrival]) -> None:
        subscription.join(self._select(kept, subscription))
        self._members.setdefault((subscription.wanted, subscription.masked), set()).add(subscription)
        if self._failure is not None:
            subscription.fail(self._failure)

    def leave(self, subscription: Subscription) -> None:
        """Stop delivering to a subscriber."""
        key = (subscription.wanted, subscription.masked)
        members = self._members.get(key, set())
        members.discard(subscription)
        if not members:
            self._members.pop(key, None)

    async def _reach(self, place: Place) -> None:
        """Wait until the stream has reached a place, which takes a moment only if the place belongs to this stream."""
        try:
            async with asyncio.timeout(_LONGEST_AHEAD_SECONDS):
                while place > self.end:
                    await self._moved.wait()
        except TimeoutError:
            raise LiveEventUnknownError(LOST) from None

    async def _read_piece(self, stream: ChangeStream, place: Place) -> tuple[list[Arrival], Place]:
        """Replay about one batch, or less if it reaches the kept history; return it with the place reached."""
        piece: list[Arrival] = []
        while len(piece) < _BATCH and place < self._history.start:
            reading = await self._read_again(stream, place)
            piece += [Arrival(change) for change in reading.changes]
            place = reading.token["_data"]
        return piece, place

    async def _read_again(self, stream: ChangeStream, place: Place) -> Reading:
        until = time.monotonic() + _LONGEST_ABSENCE_SECONDS
        while True:
            try:
                return await stream.read({"startAfter": {"_data": place}})
            except PyMongoError as error:
                if not may_pass(error) or time.monotonic() > until:
                    raise translate_replay_failure(error) from error
                await asyncio.sleep(_RETRY_SECONDS)

    def _select(self, arrivals: Iterable[Arrival], subscription: Subscription) -> list[LiveEvent]:
        chosen = (arrival for arrival in arrivals if arrival.matches(subscription.wanted))
        return [arrival.show(self.database, self._encode, masked=subscription.masked) for arrival in chosen]

    async def _match_for_all(self, arrivals: Sequence[Arrival]) -> None:
        # A subscriber with another filter may join during the server's reply.
        while pending := [
            (wanted, found) for wanted in self._list_filters() if (found := _list_undecided(arrivals, wanted))
        ]:
            for wanted, undecided in pending:
                await self._match_on_server(undecided, wanted)

    def _list_filters(self) -> set[RelativeFilter]:
        return {wanted for wanted, _ in self._members}

    async def _match_on_server(self, arrivals: Sequence[Arrival], wanted: RelativeFilter) -> None:
        """Ask the server about the arrivals that only it can match."""
        database = self._client[self.database]
        for arrival in _list_undecided(arrivals, wanted):
            is_match = await match_on_server(database, arrival.document, wanted.build_filter(arrival.moment))
            arrival.note_match(wanted, matches=is_match)

    async def _match_missed(self, arrivals: Sequence[Arrival], wanted: RelativeFilter) -> None:
        try:
            await self._match_on_server(arrivals, wanted)
        except PyMongoError as error:
            raise translate_failure(error) from error

    def _end(self, failure: GatewayError) -> None:
        self._failure = failure
        self.opened.set()
        for member in [member for members in self._members.values() for member in members]:
            member.fail(failure)
            self._observer.note_cut_off(failure.code)
        self._members.clear()

    def stop(self) -> None:
        """End every subscription; pending events can still be read."""
        self._is_stopped = True
        for member in [member for members in self._members.values() for member in members]:
            member.stop()
        self._members.clear()


def _list_undecided(arrivals: Iterable[Arrival], wanted: RelativeFilter) -> list[Arrival]:
    return [arrival for arrival in arrivals if arrival.matches(wanted) is None]
