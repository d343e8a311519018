"""The cluster time of the database, which a change stream must have reached to be up to date.

It caches nothing: each caller gets a time that was requested after its call.
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
    """Read the server's cluster time; all callers that arrive while a request is in flight share the next one."""

    def __init__(self, client: AsyncMongoClient[dict[str, Any]]) -> None:
        """Use an open client."""
        self._client = client
        self._running: asyncio.Task[Timestamp] | None = None
        self._next: asyncio.Task[Timestamp] | None = None

    async def read(self) -> Timestamp:
        """Return a cluster time that is not earlier than any write acknowledged before this call.

        Raises:
            StreamEndedError: the server is not the primary of a replica set.
            PyMongoError: the server does not answer.
        """
        waiting = wait_for_another() if self._next else nullcontext()
        if self._next is None:
            self._next = asyncio.create_task(self._read_after(self._running))
            self._next.add_done_callback(forget_failure)
        with waiting:
            # One caller's cancellation must not cancel the request for the others.
            return await asyncio.shield(self._next)

    async def _read_after(self, running: asyncio.Task[Timestamp] | None) -> Timestamp:
        if running is not None:
            await asyncio.wait([running])
            # Otherwise the traceback of each failure would keep the previous task alive, and so on.
            del running
        # From here on, the answer would be too old for a new caller.
        self._running, self._next = self._next, None
        return await read_time(self._client)

    def close(self) -> None:
        """Cancel the requests, and with them the waiting callers."""
        for task in (self._running, self._next):
            if task is not None:
                task.cancel()
