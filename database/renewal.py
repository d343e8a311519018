"""Has connections made anew whose user the server has taken from them; it signs in nobody itself, and asks nothing."""

import asyncio
from typing import Any

from pymongo import AsyncMongoClient, monitoring

_UNAUTHORIZED = 13
# The server's words for a connection without a user; of one whose user may not do this it says "not authorized".
_WITHOUT_USER = "requires authentication"


class Renewal(monitoring.CommandListener):
    """Closes a client's connections when one of them turns out to be without its user.

    Where a user is dropped, its connections stay without one even when it is there again, and the driver signs in only
    where it connects: all it asked would be refused until the worker's end.

    Attributes:
        client: whose connections; until it is set nothing is done.
    """

    def __init__(self) -> None:
        self.client: AsyncMongoClient[dict[str, Any]] | None = None
        self._closing: asyncio.Task[None] | None = None

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        pass

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        failure = event.failure
        is_without_user = failure.get("code") == _UNAUTHORIZED and _WITHOUT_USER in str(failure.get("errmsg"))
        if is_without_user and self.client and (self._closing is None or self._closing.done()):
            self._closing = asyncio.create_task(_close_connections(self.client))


async def _close_connections(client: AsyncMongoClient[dict[str, Any]]) -> None:
    # Nothing public does it but to close the client, which nobody could use again. Those in use are closed when they
    # are given back.
    for server in list(client._topology._servers.values()):  # noqa: SLF001 - as above
        await server.pool.reset_without_pause()
