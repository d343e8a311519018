"""Replace connections whose user the server has dropped; it neither authenticates nor sends commands itself."""

import asyncio
from typing import Any

from pymongo import AsyncMongoClient, monitoring

_UNAUTHORIZED = 13
# The server's message for a connection without a user; it is "not authorized" if the user lacks a privilege.
_WITHOUT_USER = "requires authentication"


class Renewal(monitoring.CommandListener):
    """Close a client's connections when one of them turns out to have lost its user.

    If a user is dropped and created again, its connections remain unauthenticated, and the driver authenticates only on
    connecting: the server would refuse every command until the worker ends.

    Attributes:
        client: the client whose connections are closed; nothing happens until it is set.
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
    # The only public way is to close the client, which makes it unusable. Connections in use are closed when they are
    # returned to the pool.
    for server in list(client._topology._servers.values()):  # noqa: SLF001 - as above
        await server.pool.reset_without_pause()
