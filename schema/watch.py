"""Summaries that are kept current: however many wait for one, it is computed once, and not too often.

It does not know when one may have changed; whoever waits for it, by schema/subscription.py, does.
"""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Hashable
from weakref import WeakValueDictionary

from database.task import forget_failure
from schema.update import Update

# A burst of events is one change.
PAUSE_SECONDS = 1.0
# Each may read all transactions; other questions must not wait for all that are watched.
MOST_AT_ONCE = 2


class SummaryWatch:
    """One summary, computed when somebody asks for it anew."""

    def __init__(self, turns: asyncio.Semaphore) -> None:
        self._turns = turns
        self._last: Update | None = None
        self._next: asyncio.Task[Update] | None = None
        self._began = -PAUSE_SECONDS

    async def refresh(self, compute: Callable[[], Awaitable[object]]) -> Update:
        """Give the summary as of a moment after this call, the same object as before where nothing has changed.

        All who ask before `compute` is called share what it gives, and its error.
        """
        if self._next is None:
            # Apart from the request that happens to be the first.
            self._next = asyncio.create_task(self._refresh(compute), context=contextvars.Context())
            self._next.add_done_callback(forget_failure)
        # Whoever leaves must not end it for the others.
        return await asyncio.shield(self._next)

    async def _refresh(self, compute: Callable[[], Awaitable[object]]) -> Update:
        now = asyncio.get_running_loop().time
        await asyncio.sleep(self._began + PAUSE_SECONDS - now())
        async with self._turns:
            self._began, self._next = now(), None
            value = await compute()
        if self._last is None or self._last.value != value:
            self._last = Update(value, key=object())
        return self._last


class SummaryWatches:
    """The summaries of one worker that somebody waits for; MOST_AT_ONCE are computed at a time."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)
        self._open: WeakValueDictionary[Hashable, SummaryWatch] = WeakValueDictionary()

    def find(self, question: Hashable) -> SummaryWatch:
        """Give the watch of a question, which lasts as long as somebody holds it."""
        watch = self._open.get(question)
        if watch is None:
            watch = self._open[question] = SummaryWatch(self._turns)
        return watch
