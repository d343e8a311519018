"""A relay between a client and a server that can silently drop a connection, as firewalls and routers do."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from database.environment import DatabaseEnvironment

_ADDRESS = re.compile(r"127\.0\.0\.1:(\d+)")


class Relay:
    """Relays all bytes, except on connections that it has dropped.

    Attributes:
        lost: set once a connection was dropped.
    """

    def __init__(self, port: int) -> None:
        self.lost = asyncio.Event()
        self._port = port
        self._mark: bytes | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def lose(self, mark: bytes) -> None:
        """Silently drop, in both directions, the first connection on which these bytes arrive."""
        self._mark = mark
        self.lost.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay one connection."""
        if task := asyncio.current_task():
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._port)
        is_lost = asyncio.Event()
        try:
            with suppress(ConnectionError, asyncio.CancelledError):
                await asyncio.gather(
                    self._pass_on(reader, to_server, is_lost), self._pass_on(from_server, writer, is_lost)
                )
        finally:
            # Otherwise a stream left half-read by a killed client is closed with the event loop, which then warns.
            to_server.close()
            writer.close()

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_lost: asyncio.Event
    ) -> None:
        while data := await reader.read(65_536):
            if self._mark is not None and self._mark in data:
                self._mark = None
                is_lost.set()
                self.lost.set()
            if not is_lost.is_set():
                writer.write(data)
                await writer.drain()
        writer.close()

    async def close(self) -> None:
        """Close all connections."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)


@asynccontextmanager
async def run_relay(environment: DatabaseEnvironment) -> AsyncIterator[tuple[Relay, DatabaseEnvironment]]:
    """Yield a relay and the environment that reaches the same database through it."""
    uri = environment.connection_uri
    (port,) = _ADDRESS.findall(uri)
    relay = Relay(int(port))
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    try:
        own = server.sockets[0].getsockname()[1]
        yield relay, replace(environment, uri=_ADDRESS.sub(f"127.0.0.1:{own}", uri))
    finally:
        server.close()
        await relay.close()
