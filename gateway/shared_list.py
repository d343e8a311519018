"""Reads and encodes a list once for all clients that request it at the same time.

A request joins the next reading, never one that began before it arrived, so sharing never serves older data. It must
not make a client wait for a slower one, which continues alone; memory holds a few parts of a list of any length.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Hashable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from types import TracebackType

from database.errors import QueryEndedError
from database.resume_point import ResumePoint
from database.row import Row
from gateway.admission import Slot
from gateway.list_request import ListRequest
from gateway.metrics import SHARED_QUERIES, find_child
from schema.resolvers import build_list_plan

# The longest that a list's next reading waits for the current one to end: two at a time would each take twice as long.
# Only slow clients make the reading of a usual window last longer than this.
_GATHERING_SECONDS = 0.15
# Clients that shared a reading tend to request the next one within this time of each other.
_TOGETHER_SECONDS = 0.01
_REMEMBERED_SECONDS = 0.05
# Of at most 1,000 rows each. A reader that is further behind continues alone.
_MOST_PARTS = 8


class SharedLists:
    """One worker's readings: those that are running and those about to begin."""

    def __init__(self) -> None:
        self._running: dict[Hashable, _Reading] = {}
        self._gathering: dict[Hashable, _Reading] = {}
        # The latest reading that began, kept until a moment after its end.
        self._last: dict[Hashable, _Reading] = {}

    async def open(self, request: ListRequest, slot: Slot) -> AsyncGenerator[bytes, None]:
        """Yield the parts of a list, none of them empty; closing this ends the query if no other reader needs it.

        `slot` is the request's own slot, which it releases while another request's reading serves it.
        """
        key = request.build_key()
        reading = self._gathering.get(key)
        is_first = reading is None
        if reading is None:
            reading = self._gathering[key] = _Reading()
            reading.task = asyncio.create_task(self._run(key, reading, request))
        else:
            find_child(SHARED_QUERIES, "list").inc()
            slot.pause()
        reader = _Reader(request)
        reading.join(reader)
        try:
            async with aclosing(reading.follow(reader)) as parts:
                async for part in parts:
                    yield part
        finally:
            reading.leave(reader)
            if not reading.readers:
                # At once: no request may join a reading that is being cancelled.
                self._forget(key, reading)
            if not is_first:
                slot.resume()
        if not reader.is_whole:
            async with aclosing(request.read_alone(reader.resume_point)) as rest:
                async for part in rest:
                    yield part

    async def _run(self, key: Hashable, reading: "_Reading", request: ListRequest) -> None:
        failure: Exception | None = QueryEndedError("The list was given up.")
        try:
            await self._await_running(key)
            await reading.gather(self._count_together(key))
            # A request that arrives from here on must get newer rows.
            del self._gathering[key]
            self._running[key] = reading
            self._last[key] = reading
            await reading.read(request)
            failure = None
        except Exception as error:  # noqa: BLE001 - raised again in each reader
            failure = error
        finally:
            self._forget(key, reading)
            reading.end(failure)
            asyncio.get_running_loop().call_later(_REMEMBERED_SECONDS, self._drop, self._last, key, reading)

    async def _await_running(self, key: Hashable) -> None:
        """Wait for the current reading; not within `_run`, whose traceback must not keep another reading alive."""
        before = self._running.get(key)
        if before is not None and before.task is not None:
            await asyncio.wait([before.task], timeout=_GATHERING_SECONDS)

    def _count_together(self, key: Hashable) -> int:
        """Return how many readers the last reading began with, or 0 if it ended long ago."""
        last = self._last.get(key)
        return last.begun_with if last else 0

    def _forget(self, key: Hashable, reading: "_Reading") -> None:
        for lists in (self._gathering, self._running):
            self._drop(lists, key, reading)

    @staticmethod
    def _drop(lists: "dict[Hashable, _Reading]", key: Hashable, reading: "_Reading") -> None:
        if lists.get(key) is reading:
            del lists[key]


@dataclass(frozen=True, slots=True)
class _Part:
    """A batch, encoded if every reader's window contains all its rows, and the resume point at its end."""

    body: bytes | None
    rows: Sequence[Row]
    resume_point: ResumePoint


@dataclass(eq=False, slots=True)
class _Reader:
    """A client of a reading: how many parts it has taken, its resume point, and whether it has the whole list."""

    request: ListRequest
    taken: int = 0
    resume_point: ResumePoint | None = None
    is_whole: bool = False


class _Reading:
    """One query for a list, and the parts that its readers have yet to take.

    Attributes:
        begun_with: the number of readers when it began.
    """

    def __init__(self) -> None:
        self.begun_with = 0
        self.readers: list[_Reader] = []
        self.task: asyncio.Task[None] | None = None
        self._parts: deque[_Part] = deque()
        self._dropped = 0
        self._is_ended = False
        self._is_left = False
        self._failure: Exception | None = None
        self._trace: TracebackType | None = None
        # `_grown` wakes all readers for the next part or the end; `_taken` wakes the reading when a part is taken.
        self._grown = asyncio.Event()
        self._taken = asyncio.Event()
        self._joined = asyncio.Event()

    def join(self, reader: _Reader) -> None:
        """Add a reader."""
        self.readers.append(reader)
        self._joined.set()

    async def gather(self, number: int) -> None:
        """Wait a moment for this number of readers."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_TOGETHER_SECONDS):
                while len(self.readers) < number:
                    self._joined.clear()
                    await self._joined.wait()

    async def read(self, request: ListRequest) -> None:
        """Run the query for all readers that have joined so far, at the pace of the fastest."""
        # Their windows differ by their arrival times: the query spans them all.
        requests = [reader.request for reader in self.readers]
        self.begun_with = len(requests)
        sinces, untils = zip(*(each.window for each in requests), strict=True)
        plan = build_list_plan(replace(request.wanted, since=min(sinces), until=max(untils)), request.after)
        resume_point = ResumePoint(plan)
        async with aclosing(request.repository.open_batches(plan)) as batches:
            async for batch in batches:
                resume_point = resume_point.copy(plan)
                resume_point.advance(batch)
                dates = None if len(requests) == 1 else _find_range(batch)
                # Each reader continues alone from here: only the server can tell which windows contain a date that is
                # not a number, and no reader could leave later, among more rows of one date than a resume point
                # remembers.
                if len(requests) > 1 and (dates is None or resume_point.find_rest_plan() is None):
                    self._is_left = True
                    return
                if dates is None or (max(sinces) <= dates[0] and dates[1] <= min(untils)):
                    self._parts.append(_Part(request.row_format.encode(batch), (), resume_point))
                else:
                    self._parts.append(_Part(None, batch, resume_point))
                self._wake_readers()
                while self._get_produced() - max(reader.taken for reader in self.readers) > 1:
                    self._taken.clear()
                    await self._taken.wait()

    async def follow(self, reader: _Reader) -> AsyncGenerator[bytes, None]:
        """Yield a reader's parts as they arrive, to the last, or until it has to continue alone."""
        while reader.taken >= self._dropped:
            if reader.taken < self._get_produced():
                part = self._parts[reader.taken - self._dropped]
                reader.resume_point = part.resume_point
                reader.taken += 1
                self._drop()
                if body := reader.request.write(part.rows) if part.body is None else part.body:
                    yield body
            elif self._failure is not None:
                # Each reader that raised it before has added its own frames to the traceback.
                raise self._failure.with_traceback(self._trace)
            elif self._is_left:
                return
            elif self._is_ended:
                reader.is_whole = True
                return
            else:
                await self._grown.wait()

    def leave(self, reader: _Reader) -> None:
        """Remove a reader; without any left, cancel the reading."""
        if reader in self.readers:
            self.readers.remove(reader)
        if self.readers:
            self._drop()
        elif self.task is not None:
            self.task.cancel()

    def end(self, failure: Exception | None) -> None:
        """Wake the readers: no part follows, because of `failure` if there is one."""
        # The task holds the traceback of what ended it, which holds the rows and this reading.
        self.task = None
        self._is_ended = True
        self._failure = failure
        self._trace = failure.__traceback__ if failure else None
        self._wake_readers()

    def _get_produced(self) -> int:
        return self._dropped + len(self._parts)

    def _drop(self) -> None:
        """Drop the parts that all readers have taken, and any beyond _MOST_PARTS with the readers that lack them."""
        needed = min(reader.taken for reader in self.readers)
        while self._parts and (self._dropped < needed or len(self._parts) > _MOST_PARTS):
            self._parts.popleft()
            self._dropped += 1
        if needed < self._dropped:
            self.readers = [reader for reader in self.readers if reader.taken >= self._dropped]
        self._taken.set()

    def _wake_readers(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()


def _find_range(rows: Sequence[Row]) -> tuple[float, float] | None:
    """Return the first and the last date of some rows, or None if not all are numbers."""
    try:
        dates = [row["date"] for row in rows]
        first, last = min(dates), max(dates)
    except (KeyError, TypeError):
        return None
    return (first, last) if isinstance(first, int | float) else None
