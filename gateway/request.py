"""What every request is given on its way in, and every answer on its way out."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from fastapi import Request
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from database.errors import GatewayError
from database.feed import TransactionFeed
from database.query import RelativeFilter
from database.subscription import Subscription
from gateway.caller import Scope as CallerScope
from gateway.disconnect import run_for_client
from gateway.observation import Observation, Observer
from gateway.problem_response import build_problem_response
from schema.budget import RowBudget
from schema.context import RequestContext, read_clock_ms

_STARTS = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})


class RequestMiddleware:
    """Notes when a request arrived and names it, answers HEAD as GET without a body, and has all of it observed.

    What nobody below has answered for is answered as an unknown failure, unless the answer has begun.
    When the client goes away, what is under way for it is cancelled, which ends its query in the database.
    Every answer, of an error too, has the headers that gateway/origin.py notes in `state`, unless it has its own.
    """

    def __init__(self, app: ASGIApp, observer: Observer, routes: Sequence[BaseRoute]) -> None:
        """Tell the observer of each request; the routes say what one asks that never came to the router."""
        self._app = app
        self._observer = observer
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        # A WebSocket begins with one (RFC 6455, section 4.1).
        method = scope.get("method", "GET")
        # The server knows that the request was HEAD and drops what body there is.
        scope = {**scope, "method": "GET"} if method == "HEAD" else scope
        observation = self._observer.begin(scope, method)
        scope["state"] = {
            **scope.get("state", {}),
            "request_id": observation.request_id,
            "observation": observation,
            "now_ms": read_clock_ms(),
            "is_head": method == "HEAD",
            "headers": (),
        }
        failure: BaseException | None = None
        try:
            failure = await self._answer(scope, receive, send, observation)
        except BaseException as error:
            # Starlette wraps an error that it would have answered for, had the answer not begun.
            failure = error.__cause__ or error
            raise
        finally:
            observation.end(failure, self._routes)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, observation: Observation) -> Exception | None:
        """Answer, whatever happens; give what nobody had expected."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] in _STARTS:
                _add_headers(message, ((b"x-request-id", observation.request_id.encode()), *scope["state"]["headers"]))
                if scope["app"].state.is_draining:
                    message["headers"].append((b"connection", b"close"))
            observation.note_message(message)
            await send(message)

        try:
            if scope["type"] == "http":
                await run_for_client(self._app, scope, receive, send_with_headers)
            else:
                await self._app(scope, receive, send_with_headers)
        except ClientDisconnect:  # before its body was whole
            return None
        except Exception as error:
            # A broken connection is how a client learns that a body it has begun to read is not whole.
            if observation.has_begun:
                raise
            await build_problem_response(HTTPConnection(scope), error)(scope, receive, send_with_headers)
            # The others were turned away before the application was asked.
            return None if isinstance(error, GatewayError) else error
        return None


def _add_headers(message: Message, headers: tuple[tuple[bytes, bytes], ...]) -> None:
    own = message.get("headers", [])
    # Vary is a list: further lines add to it.
    names = {name for name, _ in own} - {b"vary"}
    message["headers"] = [*own, *(header for header in headers if header[0] not in names)]


def get_context(request: Request) -> RequestContext:
    """Give the resolvers' view of a request."""
    return build_context(request.scope, request.state.now_ms)


def build_context(scope: Scope, now_ms: int) -> RequestContext:
    """Give the resolvers' view of what the caller of a request or WebSocket asks, in ms since the epoch, UTC."""
    app, state = scope["app"].state, scope["state"]
    may_see_cards = CallerScope.CARDS_READ in state["caller"].scopes
    return RequestContext(
        app.revealing_repository if may_see_cards else app.repository,
        now_ms,
        budget=RowBudget(app.settings.limits.rows),
        note_operation=state["observation"].note_operation,
        sees_cards=may_see_cards,
        open_events=partial(open_events, scope),
        watches=app.watches,
    )


@asynccontextmanager
async def open_events(scope: Scope, wanted: RelativeFilter, after: str | None) -> AsyncIterator[Subscription]:
    """Subscribe to the feed for the time of the block, as the caller of a request or WebSocket may see it.

    Raises:
        TooManySubscriptionsError: the caller holds as many live streams open as are allowed.
        LiveUnavailableError, LiveEventUnknownError, DatabaseError: as `TransactionFeed.open` does.
    """
    app, state = scope["app"].state, scope["state"]
    feed: TransactionFeed = app.feed
    masked = CallerScope.CARDS_READ not in state["caller"].scopes
    with app.subscription_limit.hold(scope):
        async with feed.open(wanted, after, masked=masked) as events:
            yield events
