"""Newest pages that are asked for at the same time are read once, where only their windows and lengths differ.

Whoever asks joins the next reading, never one that has begun: sharing serves nothing older. A page is what its own
query would have given; where that cannot be known, there is none, and the caller reads alone.
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

# A page takes a few milliseconds. Who comes while one takes longer waits no longer than this for its end.
_GATHERING_SECONDS = 0.05


class SharedRows(list[Row]):
    """Rows that several may have been given.

    Attributes:
        memo: what was made of them, so that the others need not make it again; who makes it names it.
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
    """One query and those who wait for it; it covers all of their windows."""

    task: "asyncio.Task[_Found]"
    windows: list[_Window] = field(default_factory=list)
    waiting: int = 0


class _Found:
    """What a query gave, newest first; `is_all` where there are no more rows in its window."""

    def __init__(self, rows: list[Row], *, is_all: bool) -> None:
        self._rows = rows
        self._is_all = is_all
        self._dates = [row["date"] for row in rows]
        # The server alone knows which windows hold what is no whole number.
        self._is_plain = all(isinstance(date, int) for date in self._dates)
        self._cuts: dict[tuple[int, int], SharedRows] = {}

    def cut(self, window: _Window) -> SharedRows | None:
        """Give a window's rows, or None where not all of them are known."""
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
    """The pages of one repository that are being read, and those that are about to be."""

    def __init__(self, find_rows: Callable[[FindPlan], Awaitable[list[Row]]]) -> None:
        """Read by `find_rows`."""
        self._find_rows = find_rows
        self._running: dict[Hashable, _Reading] = {}
        self._gathering: dict[Hashable, _Reading] = {}

    async def find(self, wanted: TransactionFilter, limit: int, fields: frozenset[str]) -> SharedRows | None:
        """Give the newest rows of a filter, which has a window, at most `limit`; None where they must be read alone."""
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
                # At once: what is being cancelled must not be joined.
                self._drop(self._gathering, key, reading)
                reading.task.cancel()
        return found.cut(window)

    async def _read(self, key: Hashable, wanted: TransactionFilter, fields: frozenset[str]) -> _Found:
        """Give the newest rows of all windows together."""
        reading = self._gathering[key]
        try:
            await self._await_running(key)
            # From here on its rows would be too old for whoever comes.
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
        """Wait for the reading under way, apart from `_read`: the trace of one that fails must hold no other."""
        if before := self._running.get(key):
            await asyncio.wait([before.task], timeout=_GATHERING_SECONDS)

    @staticmethod
    def _drop(readings: dict[Hashable, _Reading], key: Hashable, reading: _Reading) -> None:
        if readings.get(key) is reading:
            del readings[key]
