"""Share one query among concurrent requests for newest pages that differ only in their windows and limits.

A request joins the next query, never one that has begun, so sharing never serves older data. A page is what its own
query would return; if that cannot be known, there is no shared page, and the caller queries alone.
"""

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable, Hashable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from operator import neg
from typing import Any

from database.meter import METER, wait_for_another
from database.query import FindPlan, Order, Page, TransactionFilter, build_find_plan
from database.row import Row
from database.task import forget_failure

# A page takes a few milliseconds. A request that arrives during a slower query waits at most this long for its end.
_GATHERING_SECONDS = 0.05


class SharedRows(list[Row]):
    """Rows that several callers may share.

    Attributes:
        memo: results derived from the rows, cached for the other callers; each caller chooses its keys.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        super().__init__(rows)
        self.memo: dict[Hashable, Any] = {}


@dataclass(frozen=True, slots=True)
class _Window:
    since: int
    until: int
    limit: int


@dataclass(eq=False, slots=True)
class _Reading:
    """One query that covers the windows of all its callers, and how many of them wait for it."""

    task: "asyncio.Task[_Found]"
    windows: list[_Window] = field(default_factory=list)
    waiting: int = 0


class _Found:
    """The result of a query, newest first; `is_all` means that its window holds no more rows."""

    def __init__(self, rows: list[Row], *, is_all: bool) -> None:
        self._rows = rows
        self._is_all = is_all
        self._dates = [row["date"] for row in rows]
        # Only the server can decide which windows include a date that is not an integer.
        self._is_plain = all(isinstance(date, int) for date in self._dates)
        self._cuts: dict[tuple[int, int], SharedRows] = {}

    def cut(self, window: _Window) -> SharedRows | None:
        """Return a window's rows, or None if not all of them are known."""
        if not self._is_plain:
            return None
        begin = bisect_left(self._dates, -window.until, key=neg)
        end = bisect_right(self._dates, -window.since, key=neg)
        if end - begin < window.limit and end == len(self._dates) and not self._is_all:
            return None
        place = begin, min(end, begin + window.limit)
        cut = self._cuts.get(place)
        if cut is None:
            cut = self._cuts[place] = SharedRows(self._rows[slice(*place)])
        return cut


class SharedPages:
    """The running and the upcoming queries for one repository's pages."""

    def __init__(self, find_rows: Callable[[FindPlan], Awaitable[list[Row]]]) -> None:
        """Run queries by `find_rows`."""
        self._find_rows = find_rows
        self._running: dict[Hashable, _Reading] = {}
        self._gathering: dict[Hashable, _Reading] = {}

    async def find(self, wanted: TransactionFilter, limit: int, fields: frozenset[str]) -> SharedRows | None:
        """Return at most `limit` newest rows of a filter; None if it has no window, or the caller must query alone."""
        if wanted.since is None or wanted.until is None:
            return None
        window = _Window(wanted.since, wanted.until, limit)
        key = (replace(wanted, since=None, until=None), fields)
        reading = self._gathering.get(key)
        waiting: AbstractContextManager[None] = nullcontext()
        if reading is None:
            reading = self._gathering[key] = _Reading(asyncio.create_task(self._read(key, wanted, fields)))
            reading.task.add_done_callback(forget_failure)
        else:
            waiting = wait_for_another()
            if meter := METER.get():
                meter.shared += 1
        reading.windows.append(window)
        reading.waiting += 1
        try:
            with waiting:
                found = await asyncio.shield(reading.task)
        finally:
            reading.waiting -= 1
            if not reading.waiting:
                # Immediately, so that no request joins a query that is being cancelled.
                self._drop(self._gathering, key, reading)
                reading.task.cancel()
        return found.cut(window)

    async def _read(self, key: Hashable, wanted: TransactionFilter, fields: frozenset[str]) -> _Found:
        """Query the newest rows of all windows together."""
        reading = self._gathering[key]
        try:
            await self._await_running(key)
            # From here on, its rows would be too old for a new request.
            self._drop(self._gathering, key, reading)
            self._running[key] = reading
            most = max(window.limit for window in reading.windows)
            widest = replace(
                wanted,
                since=min(window.since for window in reading.windows),
                until=max(window.until for window in reading.windows),
            )
            rows = await self._find_rows(build_find_plan(widest, Order.DATE_DESC, Page(most), fields))
            return _Found(rows, is_all=len(rows) < most)
        finally:
            self._drop(self._running, key, reading)

    async def _await_running(self, key: Hashable) -> None:
        """Wait for the running query; outside `_read`, so that the traceback of a failure does not keep that query."""
        if before := self._running.get(key):
            await asyncio.wait([before.task], timeout=_GATHERING_SECONDS)

    @staticmethod
    def _drop(readings: dict[Hashable, _Reading], key: Hashable, reading: _Reading) -> None:
        if readings.get(key) is reading:
            del readings[key]
