"""Summaries that are kept current: each is computed once for all that wait for it, and not too often.

It does not know when a summary may have changed; its callers in schema/subscription.py do.
"""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Hashable
from weakref import WeakValueDictionary

from database.task import forget_failure
from schema.update import Update

# Between two computations of a summary: a burst of events counts as one change.
PAUSE_SECONDS = 1.0
# Each may read all transactions; other queries must not wait for every watched summary.
MOST_AT_ONCE = 2


class SummaryWatch:
    """One summary, computed again whenever a caller refreshes it."""

    def __init__(self, semaphore: asyncio.Semaphore) -> None:
        self._semaphore = semaphore
        self._last: Update | None = None
        self._next: asyncio.Task[Update] | None = None
        self._began = -PAUSE_SECONDS

    async def refresh(self, compute: Callable[[], Awaitable[object]]) -> Update:
        """Return the summary as of a moment after this call; the same object as before if nothing has changed.

        All callers that arrive before `compute` is called share its result or its error.
        """
        if self._next is None:
            # In a context of its own, not in that of the request that happens to be the first.
            self._next = asyncio.create_task(self._refresh(compute), context=contextvars.Context())
            self._next.add_done_callback(forget_failure)
        # A cancelled caller must not cancel the task for the others.
        return await asyncio.shield(self._next)

    async def _refresh(self, compute: Callable[[], Awaitable[object]]) -> Update:
        now = asyncio.get_running_loop().time
        await asyncio.sleep(self._began + PAUSE_SECONDS - now())
        async with self._semaphore:
            self._began, self._next = now(), None
            value = await compute()
        if self._last is None or self._last.value != value:
            self._last = Update(value, key=object())
        return self._last


class SummaryWatches:
    """The watched summaries of one worker; at most MOST_AT_ONCE are computed at a time."""

    def __init__(self) -> None:
        self._semaphore = asyncio.Semaphore(MOST_AT_ONCE)
        self._open: WeakValueDictionary[Hashable, SummaryWatch] = WeakValueDictionary()

    def find(self, key: Hashable) -> SummaryWatch:
        """Return the watch with a key, which lives as long as a caller holds it."""
        watch = self._open.get(key)
        if watch is None:
            watch = self._open[key] = SummaryWatch(self._semaphore)
        return watch
