"""What one subscriber is still to be given: bounded, and waited for without a task of its own."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from typing import Protocol, Self

from database.errors import GatewayError, LiveTooSlowError
from database.event import LiveEvent, Place, encode_event_id
from database.query import RelativeFilter

# Whoever is further behind is cut off. The events themselves are shared by all who wait for them.
MOST_EVENTS = 2_000
MOST_BYTES = 8_000_000
_TOO_SLOW = (
    "Events come faster than they are taken, and no more of them are kept. Connect again with the last id that came: "
    "what follows it is sent again."
)


class Source(Protocol):
    """Where events come from.

    Attributes:
        database: whose events they are.
        end: all events up to this place were handed on.
    """

    @property
    def database(self) -> str: ...
    @property
    def end(self) -> Place: ...


# What a subscriber missed, piece by piece, each with the place that it reaches.
Past = AsyncGenerator[tuple[list[LiveEvent], Place], None]


class Subscription:
    """Gives events in order and once, to one reader: one at a time when it is iterated, or all there are by `read`.

    Attributes:
        wanted: which events.
        masked: whether card numbers are masked in them.
        is_over: whether the feed has stopped; what is left can be read, and nothing more comes.
    """

    __slots__ = (
        "_bytes",
        "_events",
        "_failure",
        "_keeps_last",
        "_past",
        "_reached",
        "_source",
        "_taken",
        "_waiter",
        "is_over",
        "masked",
        "wanted",
    )

    def __init__(self, source: Source, wanted: RelativeFilter, place: Place, *, masked: bool) -> None:
        """Wait for what comes after a place."""
        self.wanted = wanted
        self.masked = masked
        self.is_over = False
        self._source = source
        self._taken = place
        # Set while it takes no part in what the source hands on: before it has caught up, and after it was cut off.
        self._reached: Place | None = place
        self._past: Past | None = None
        self._events: deque[LiveEvent] = deque()
        self._bytes = 0
        self._keeps_last = False
        self._failure: GatewayError | None = None
        self._waiter: asyncio.Future[None] | None = None

    @property
    def id(self) -> str:
        """What to go on after, opaque: of what is wanted, everything up to there was given."""
        return encode_event_id(self._find_place(), self._source.database)

    def _find_place(self) -> Place:
        if self._events:
            return self._taken
        return max(self._taken, self._source.end if self._reached is None else self._reached)

    async def read(self, seconds: float | None = None) -> list[LiveEvent]:
        """Give all events that wait; if none does, wait for one, or so many seconds, or until the feed has stopped.

        Raises:
            LiveTooSlowError: more have come than are kept.
            LiveEventUnknownError: what was missed cannot be told any more.
            DatabaseError: the database was away for too long, or refuses to go on.
        """
        await self._await_some(seconds)
        events = list(self._events)
        self._events.clear()
        self._bytes = 0
        if events:
            self._taken = events[-1].place
        return events

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> LiveEvent:
        while not self._events:
            if self.is_over:
                raise StopAsyncIteration
            await self._await_some(None)
        event = self._events.popleft()
        self._bytes -= len(event.data)
        self._taken = event.place
        return event

    async def _await_some(self, seconds: float | None) -> None:
        if not self._events and self._past is not None:
            await self.read_past()
        if self._events:
            return
        if self._failure is not None:
            raise type(self._failure)(str(self._failure))
        if self._past is None and not self.is_over:
            await self._wait(seconds)

    async def _wait(self, seconds: float | None) -> None:
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = None if seconds is None else loop.call_later(seconds, self.wake)
        try:
            await self._waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

    def follow(self, past: Past) -> None:
        """Give first what `past` gives; at its end it calls `join`."""
        self._past = past

    async def read_past(self) -> None:
        """Read a piece of what was missed; raises as `read` does."""
        if self._past is None:
            return
        try:
            events, reached = await anext(self._past)
        except StopAsyncIteration:
            self._past = None
            return
        self._reached = reached
        self._events.extend(events)
        self._bytes += sum(len(event.data) for event in events)

    def join(self, events: Sequence[LiveEvent]) -> None:
        """Take part in what the source hands on from now on; these are what it has handed on since the last piece."""
        self._reached = None
        self._events.extend(events)
        self._bytes += sum(len(event.data) for event in events)

    def keep_last(self) -> None:
        """Keep only the last of the events that wait, for a reader to whom it only matters that something was added."""
        self._keeps_last = True

    def put(self, events: Sequence[LiveEvent], size: int) -> bool:
        """Add events of so many bytes; where there is no room, cut the subscriber off and say so by False."""
        # What was read again to catch up may reach further than what was handed on until then.
        given = self._events[-1].place if self._events else self._taken
        if events[0].place <= given:
            events = [event for event in events if event.place > given]
            size = sum(len(event.data) for event in events)
        if self._keeps_last and events:
            self._events.clear()
            self._bytes, events, size = 0, events[-1:], len(events[-1].data)
        is_full = len(self._events) + len(events) > MOST_EVENTS or self._bytes + size > MOST_BYTES
        # Of nothing that waits nobody can be too slow.
        if self._events and is_full:
            self._reached = self._taken
            self._events.clear()
            self.fail(LiveTooSlowError(_TOO_SLOW))
            return False
        self._events.extend(events)
        self._bytes += size
        return True

    def fail(self, failure: GatewayError) -> None:
        """Raise this, once what waits was read."""
        if self._reached is None:
            self._reached = self._source.end
        self._failure = failure
        self.wake()

    def stop(self) -> None:
        """Give what waits, and nothing more."""
        if self._reached is None:
            self._reached = self._source.end
        self.is_over = True
        self.wake()

    def wake(self) -> None:
        """Let the reader look."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def close(self) -> None:
        """End what is read for this subscriber alone."""
        if self._past is not None:
            await self._past.aclose()
