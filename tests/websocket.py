"""A client of graphql-transport-ws that sends any message, valid or not."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

SUBPROTOCOL = Subprotocol("graphql-transport-ws")


class Socket:
    """One connection."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, *messages: dict[str, Any]) -> None:
        for message in messages:
            await self.connection.send(json.dumps(message))

    async def receive(self) -> Any:
        return json.loads(await self.connection.recv())

    async def init(self, payload: object = None) -> None:
        """Send connection_init with an optional payload, and wait for the acknowledgement."""
        await self.send({"type": "connection_init"} | ({} if payload is None else {"payload": payload}))
        assert await self.receive() == {"type": "connection_ack"}

    async def ask(self, query: str, identifier: str = "ask", **parameters: Any) -> dict[str, Any]:
        """Run an operation with one result and return its message; no other message may arrive meanwhile."""
        await self.send(build_subscribe(query, identifier, **parameters))
        answer: dict[str, Any] = await self.receive()
        if answer["type"] == "next":
            assert await self.receive() == {"id": identifier, "type": "complete"}
        return answer

    async def subscribe(self, query: str, identifier: str = "events", **parameters: Any) -> None:
        """Subscribe; no event after the return is missed, and none may arrive before it."""
        await self.send(build_subscribe(query, identifier, **parameters))
        answer = await self.ask("{ __typename }", f"after {identifier}")
        assert answer["type"] == "next", answer

    async def await_close(self) -> tuple[int, str]:
        """Read until the other side closes; return its close code and reason."""
        try:
            while True:
                await self.connection.recv()
        except ConnectionClosed as closed:
            assert closed.rcvd, "the connection broke"
            return closed.rcvd.code, closed.rcvd.reason


def build_subscribe(query: str, identifier: str, **parameters: Any) -> dict[str, Any]:
    return {"id": identifier, "type": "subscribe", "payload": {"query": query, **parameters}}


@asynccontextmanager
async def open_socket(
    url: str, headers: dict[str, str] | None = None, subprotocols: tuple[str, ...] = (SUBPROTOCOL,)
) -> AsyncIterator[Socket]:
    """Connect to a gateway until the block ends; nothing is sent yet."""
    async with connect(
        url.replace("http", "ws", 1) + "/graphql",
        subprotocols=[Subprotocol(name) for name in subprotocols] or None,
        additional_headers=headers,
        compression=None,
        proxy=None,
    ) as connection:
        yield Socket(connection)
