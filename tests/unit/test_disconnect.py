"""The work for a client ends when that client disconnects, and for no other reason."""

import asyncio

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.disconnect import run_for_client

GET: Scope = {"type": "http", "method": "GET"}
POST: Scope = {"type": "http", "method": "POST"}


class Client:
    """A client's messages as the server delivers them to the application: to one receiver at a time."""

    def __init__(self) -> None:
        self.sent: asyncio.Queue[Message] = asyncio.Queue()
        self.receivers = 0

    async def receive(self) -> Message:
        self.receivers += 1
        assert self.receivers == 1
        try:
            return await self.sent.get()
        finally:
            self.receivers -= 1

    def send_body(self, *, more: bool) -> None:
        self.sent.put_nowait({"type": "http.request", "body": b"x", "more_body": more})

    def leave(self) -> None:
        self.sent.put_nowait({"type": "http.disconnect"})


async def ignore(_message: Message) -> None:
    """Discard the message."""


async def work_for_ever(_scope: Scope, _receive: Receive, _send: Send) -> None:
    await asyncio.Event().wait()


async def read_body_and_work_for_ever(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await work_for_ever(scope, receive, send)


async def begin(app: ASGIApp, scope: Scope, client: Client) -> "asyncio.Task[None]":
    """Run an application until its client is watched."""
    task = asyncio.create_task(run_for_client(app, scope, client.receive, ignore))
    await asyncio.sleep(0.05)
    assert not task.done()
    return task


@pytest.mark.parametrize("scope", [GET, POST])
async def test_a_client_that_leaves_ends_the_work(scope: Scope) -> None:
    """The application is cancelled, and its caller continues as if it had responded."""
    client = Client()
    client.send_body(more=False)
    app = work_for_ever if scope is GET else read_body_and_work_for_ever
    task = await begin(app, scope, client)
    client.leave()
    async with asyncio.timeout(5):
        await task


async def test_a_server_that_stops_is_no_client_that_leaves() -> None:
    """A cancellation while the client is connected propagates, and receiving stops."""
    client = Client()
    task = await begin(work_for_ever, GET, client)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert not client.receivers


async def test_the_application_alone_reads_the_body() -> None:
    """While a body is still arriving, only the application receives, and it gets all of it."""
    client = Client()
    task = await begin(read_body_and_work_for_ever, POST, client)
    for more in (True, False):
        client.send_body(more=more)
        await asyncio.sleep(0.05)
    assert not client.sent.qsize()
    client.leave()
    async with asyncio.timeout(5):
        await task


async def test_a_quick_answer_is_not_watched() -> None:
    """A response that is ready at once is not watched: nothing is received by its end or later."""
    client = Client()

    async def answer(_scope: Scope, _receive: Receive, _send: Send) -> None:
        await asyncio.sleep(0)

    await run_for_client(answer, GET, client.receive, ignore)
    await asyncio.sleep(0.05)
    assert not client.receivers
