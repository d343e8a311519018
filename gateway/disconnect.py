"""Cancels a request's work when its client disconnects, which ends its query in the database."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Most responses are complete by then, and are spared the cost of a task.
_WATCH_AFTER_SECONDS = 0.02


async def run_for_client(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Run the application; if the client disconnects, cancel it and return."""
    # Only one task may receive at a time: the application reads the body first. Nothing reads the body of a GET.
    watch = _Watch(receive, has_body=scope["method"] != "GET")
    try:
        await app(scope, watch.receive_body, send)
    except asyncio.CancelledError:
        # Otherwise the server cancelled the task, because it is stopping.
        if not watch.has_left:
            raise
    finally:
        watch.end()


class _Watch:
    def __init__(self, receive: Receive, *, has_body: bool) -> None:
        self.has_left = False
        self._receive = receive
        self._is_read = asyncio.Event()
        if not has_body:
            self._is_read.set()
        self._work = asyncio.current_task()
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(_WATCH_AFTER_SECONDS, self._begin)

    async def receive_body(self) -> Message:
        message = await self._receive()
        if not message.get("more_body"):
            self._is_read.set()
        return message

    def end(self) -> None:
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _begin(self) -> None:
        self._task = asyncio.create_task(self._wait())

    async def _wait(self) -> None:
        await self._is_read.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.has_left = True
        if self._work is not None:  # always true: a coroutine runs in a task
            self._work.cancel()
