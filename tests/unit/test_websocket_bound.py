"""A WebSocket whose client keeps sending and takes no responses."""

import asyncio
from types import SimpleNamespace
from typing import Any

import orjson

from gateway.caller import ANONYMOUS, Caller
from gateway.errors import TooManyRequestsError
from gateway.websocket import SUBPROTOCOL, Socket

ASKED = 1_000


class _Client:
    """A client that sends invalid operations repeatedly and takes only the acknowledgement."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_full = asyncio.Event()
        self._begun = False

    async def receive(self) -> dict[str, Any]:
        if not self._begun:
            self._begun = True
            return {"type": "websocket.connect"}
        message: dict[str, Any] = {"type": "connection_init"}
        if self.asked:
            message = {"type": "subscribe", "id": str(self.asked), "payload": {"query": "{"}}
        self.asked += 1
        if self.asked > ASKED:
            return {"type": "websocket.disconnect"}
        # As with a connection that has much to read.
        await asyncio.sleep(0)
        return {"type": "websocket.receive", "text": orjson.dumps(message).decode()}

    async def send(self, message: Any) -> None:
        if '"error"' in message.get("text", ""):
            self.is_full.set()
            await asyncio.Future()


async def test_no_more_is_read_of_a_client_that_takes_no_answers() -> None:
    """A socket whose client takes no responses is not read further, so that what waits for the client is bounded."""

    async def identify(_scope: object) -> Caller:
        return ANONYMOUS

    async def count_request() -> None:
        raise TooManyRequestsError("Ask later.", 1)

    client = _Client()
    state = {
        "request_id": "0" * 32,
        "identify": identify,
        "count_request": count_request,
        "observation": SimpleNamespace(note_stream=lambda: None),
    }
    app = SimpleNamespace(state=SimpleNamespace(is_draining=False, sockets=SimpleNamespace(open=set())))
    scope = {"type": "websocket", "app": app, "state": state, "headers": [], "subprotocols": [SUBPROTOCOL]}

    async def speak() -> None:
        await Socket(scope, client.receive, client.send)

    speaking = asyncio.create_task(speak())
    await client.is_full.wait()
    before = -1
    while before < client.asked < ASKED:
        before = client.asked
        for _ in range(20):
            await asyncio.sleep(0)
    speaking.cancel()
    await asyncio.wait([speaking])
    assert client.asked < ASKED
