"""The cluster time of the database: what a change stream must have reached to be up to date.

It caches nothing: an answer was asked for after whoever is given it came.
"""

import asyncio
from contextlib import nullcontext
from typing import Any

from bson.timestamp import Timestamp
from pymongo import AsyncMongoClient

from database.change_tail import read_time
from database.meter import wait_for_another
from database.task import forget_failure


class ClusterClock:
    """Asks the server for its time; all who come while it is being asked share the next answer."""

    def __init__(self, client: AsyncMongoClient[dict[str, Any]]) -> None:
        """Use an open client."""
        self._client = client
        self._running: asyncio.Task[Timestamp] | None = None
        self._next: asyncio.Task[Timestamp] | None = None

    async def read(self) -> Timestamp:
        """Give a cluster time that no write acknowledged before this call is later than.

        Raises:
            PyMongoError: the primary does not tell it.
        """
        waiting = wait_for_another() if self._next else nullcontext()
        if self._next is None:
            self._next = asyncio.create_task(self._ask_after(self._running))
            self._next.add_done_callback(forget_failure)
        with waiting:
            # One of those who wait may leave.
            return await asyncio.shield(self._next)

    async def _ask_after(self, running: asyncio.Task[Timestamp] | None) -> Timestamp:
        if running is not None:
            await asyncio.wait([running])
            # The trace of a failure would hold the one before, and so on.
            del running
        # From here on the answer would be too old for whoever comes.
        self._running, self._next = self._next, None
        return await read_time(self._client)

    def close(self) -> None:
        """Let nobody wait any longer."""
        for task in (self._running, self._next):
            if task is not None:
                task.cancel()
