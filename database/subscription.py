"""The bounded queue of one subscriber's pending events. It needs no task of its own."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from typing import Protocol, Self

from database.errors import GatewayError, LiveTooSlowError
from database.event import LiveEvent, Place, encode_event_id
from database.query import RelativeFilter

# A subscriber with more pending events is cut off. Subscribers share the events themselves.
MOST_EVENTS = 2_000
MOST_BYTES = 8_000_000
_TOO_SLOW = (
    "Events arrive faster than they are read, and no more of them are kept. Connect again with the last id "
    "received: what follows it is sent again."
)


class Source(Protocol):
    """A source of events.

    Attributes:
        database: the database of the events.
        end: the place up to which all events were delivered.
    """

    @property
    def database(self) -> str: ...
    @property
    def end(self) -> Place: ...


# The events that a subscriber missed, in batches, each with the place that it reaches.
Past = AsyncGenerator[tuple[list[LiveEvent], Place], None]


class Subscription:
    """Events for one reader, in order and exactly once: iterate for one at a time, or `read` all pending ones.

    Attributes:
        wanted: which events.
        masked: whether their card numbers are masked.
        is_over: whether the feed has stopped; pending events can be read, and no others follow.
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
        """Subscribe to what comes after a place."""
        self.wanted = wanted
        self.masked = masked
        self.is_over = False
        self._source = source
        self._taken = place
        # The place reached while the source does not deliver to it: before it has caught up, and after it was cut off.
        self._reached: Place | None = place
        self._past: Past | None = None
        self._events: deque[LiveEvent] = deque()
        self._bytes = 0
        self._keeps_last = False
        self._failure: GatewayError | None = None
        self._waiter: asyncio.Future[None] | None = None

    @property
    def id(self) -> str:
        """The opaque id to resume after: every wanted event up to it was given to the reader."""
        return encode_event_id(self._find_place(), self._source.database)

    def _find_place(self) -> Place:
        if self._events:
            return self._taken
        return max(self._taken, self._source.end if self._reached is None else self._reached)

    async def read(self, seconds: float | None = None) -> list[LiveEvent]:
        """Return all pending events; if there are none, wait for one, a timeout in seconds, or the end of the feed.

        Raises:
            LiveTooSlowError: more events arrived than are kept.
            LiveEventUnknownError: the missed events are no longer available.
            DatabaseError: the database was away for too long, or refuses to continue.
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
        """Read from `past` first; `past` calls `join` at its end."""
        self._past = past

    async def read_past(self) -> None:
        """Read one batch of missed events; raise as `read` does."""
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
        """Receive the source's events from now on; `events` are those it delivered since the last batch of `past`."""
        self._reached = None
        self._events.extend(events)
        self._bytes += sum(len(event.data) for event in events)

    def keep_last(self) -> None:
        """Keep only the last pending event, for a reader that only needs to know that something was added."""
        self._keeps_last = True

    def put(self, events: Sequence[LiveEvent], size: int) -> bool:
        """Add events of `size` bytes in all; if there is no room, cut the subscriber off and return False."""
        # A replay may have read further than the source had delivered by then.
        given = self._events[-1].place if self._events else self._taken
        if events[0].place <= given:
            events = [event for event in events if event.place > given]
            size = sum(len(event.data) for event in events)
        if self._keeps_last and events:
            self._events.clear()
            self._bytes, events, size = 0, events[-1:], len(events[-1].data)
        is_full = len(self._events) + len(events) > MOST_EVENTS or self._bytes + size > MOST_BYTES
        # A reader without pending events is not too slow, however large the batch.
        if self._events and is_full:
            self._reached = self._taken
            self._events.clear()
            self.fail(LiveTooSlowError(_TOO_SLOW))
            return False
        self._events.extend(events)
        self._bytes += size
        return True

    def fail(self, failure: GatewayError) -> None:
        """Let the reader raise `failure` once the pending events are read."""
        if self._reached is None:
            self._reached = self._source.end
        self._failure = failure
        self.wake()

    def stop(self) -> None:
        """Add no more events; the pending ones can still be read."""
        if self._reached is None:
            self._reached = self._source.end
        self.is_over = True
        self.wake()

    def wake(self) -> None:
        """Wake the waiting reader."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def close(self) -> None:
        """Close the replay of this subscriber."""
        if self._past is not None:
            await self._past.aclose()
