"""Limits how long a body may take to arrive, a response to begin, and each further part of it to be taken.

It must not mistake a client that disconnects, or a server that stops, for a timeout.
"""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import BodyTimeoutError, RequestTimeoutError
from gateway.settings import Settings


class DeadlineMiddleware:
    """Cancels a request after `request_timeout_ms` without progress, which ends its query in the database.

    Progress means that the whole body has arrived, or that a part of the response was handed to the client.

    Raises:
        BodyTimeoutError: the body is incomplete.
        RequestTimeoutError: the response, or its next part, is late; once it has begun, this breaks the connection.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._seconds = settings.request_timeout_ms / 1000

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        now = asyncio.get_running_loop().time
        deadline = asyncio.timeout(self._seconds)
        is_receiving = False

        async def receive_in_time() -> Message:
            nonlocal is_receiving
            is_receiving = True
            message = await receive()
            if not message.get("more_body"):
                is_receiving = False
                deadline.reschedule(now() + self._seconds)
            return message

        async def send_in_time(message: Message) -> None:
            await send(message)
            if message.get("more_body"):
                deadline.reschedule(now() + self._seconds)

        try:
            async with deadline:
                await self._app(scope, receive_in_time, send_in_time)
        except TimeoutError:
            if not deadline.expired():
                raise
            limit = f"within {self._seconds:g} s"
            if is_receiving:
                raise BodyTimeoutError(f"The body did not arrive {limit}; send it at once.") from None
            raise RequestTimeoutError(f"The answer, or its next part, was not ready {limit}; ask for less.") from None
