"""What every request is given on its way in, and every answer on its way out."""

import asyncio
import logging
import uuid

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from database.errors import GatewayError
from gateway.caller import Scope as CallerScope
from gateway.problems import build_problem_response
from schema.context import RequestContext, read_clock_ms

logger = logging.getLogger(__name__)


class RequestMiddleware:
    """Notes when a request arrived and names it, and answers HEAD as GET without a body.

    What nobody below has answered for is logged, and answered as an unknown failure unless the answer has begun.
    When the client goes away, what is under way for it is cancelled, which ends its query in the database.
    Every answer, of an error too, has the headers that gateway/origin.py notes in `state`, unless it has its own.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = uuid.uuid4().hex
        is_head = scope["method"] == "HEAD"
        # The server knows that the request was HEAD and drops what body there is.
        scope = {**scope, "method": "GET"} if is_head else scope
        scope["state"] = {
            **scope.get("state", {}),
            "request_id": request_id,
            "now_ms": read_clock_ms(),
            "is_head": is_head,
            "headers": (),
        }
        has_begun = False

        async def send_with_headers(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                _add_headers(message, ((b"x-request-id", request_id.encode()), *scope["state"]["headers"]))
            await send(message)

        try:
            await _run_for_client(self._app, scope, receive, send_with_headers)
        except Exception as error:
            if isinstance(error, GatewayError) and not has_begun:
                # Turned away before the application was asked.
                await build_problem_response(Request(scope), error)(scope, receive, send_with_headers)
                return
            if has_begun:
                # Starlette wraps an error that it would have answered for, had the answer not begun.
                logger.exception("request %s broke off", request_id, exc_info=error.__cause__ or error)
                # A broken connection is how a client learns that a body it has begun to read is not whole.
                raise
            logger.exception("request %s failed", request_id)
            await build_problem_response(Request(scope), error)(scope, receive, send_with_headers)


def _add_headers(message: Message, headers: tuple[tuple[bytes, bytes], ...]) -> None:
    own = message.get("headers", [])
    # Vary is a list: further lines add to it.
    names = {name for name, _ in own} - {b"vary"}
    message["headers"] = [*own, *(header for header in headers if header[0] not in names)]


async def _run_for_client(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Run the application, and cancel it when the client goes away."""
    # Nobody reads the body of a GET; of the other methods the application reads it first, for one alone may receive.
    is_read = asyncio.Event()
    if scope["method"] == "GET":
        is_read.set()

    async def receive_body() -> Message:
        message = await receive()
        if not message.get("more_body"):
            is_read.set()
        return message

    task = asyncio.current_task()
    has_left = False

    async def cancel_when_client_leaves() -> None:
        nonlocal has_left
        await is_read.wait()
        while (await receive())["type"] != "http.disconnect":
            pass
        has_left = True
        if task is not None:  # a coroutine always runs in one
            task.cancel()

    watch = asyncio.create_task(cancel_when_client_leaves())
    try:
        await app(scope, receive_body, send)
    except asyncio.CancelledError:
        # Otherwise the server cancels, for it stops.
        if not has_left:
            raise
    finally:
        watch.cancel()


def get_context(request: Request) -> RequestContext:
    """Give the resolvers' view of a request."""
    state = request.app.state
    may_see_cards = CallerScope.CARDS_READ in request.state.caller.scopes
    return RequestContext(state.revealing_repository if may_see_cards else state.repository, request.state.now_ms)
