"""How long a request may take: its body to arrive, its answer to begin, and each further part of it to be taken.

It ends what takes longer; it must not mistake a client that leaves, or a server that stops, for slowness.
"""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import BodyTimeoutError, RequestTimeoutError
from gateway.settings import Settings


class DeadlineMiddleware:
    """Cancels, after `request_timeout_ms` without progress, the work below, which ends its query in the database.

    Progress is a body that has arrived whole, or a part of the answer that was produced and handed to the client.

    Raises:
        BodyTimeoutError: the body is not whole.
        RequestTimeoutError: the answer has not begun; or has, and then the connection breaks.
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
