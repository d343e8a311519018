"""What applies to every request and response: request id, common headers, HEAD, error responses, observation."""

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
    """Records a request's arrival time, gives it an id, handles HEAD as GET without a body, and has it observed.

    Turns exceptions that no inner layer handled into problem responses, unless the response has begun.
    When the client disconnects, cancels the work for it, which ends its query in the database.
    Every response, errors included, gets the headers that gateway/origin.py puts in `state`, unless it sets its own.
    """

    def __init__(self, app: ASGIApp, observer: Observer, routes: Sequence[BaseRoute]) -> None:
        """Report each request to the observer; `routes` identify a request that never reached the router."""
        self._app = app
        self._observer = observer
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        # A WebSocket's opening handshake is a GET (RFC 6455, section 4.1).
        method = scope.get("method", "GET")
        # The server knows that the request was HEAD and drops the body.
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
            # Starlette wraps an error that has a handler but is raised after the response has begun.
            failure = error.__cause__ or error
            raise
        finally:
            observation.end(failure, self._routes)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, observation: Observation) -> Exception | None:
        """Send a response whatever happens; return the exception if it was an unexpected one."""

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
        except ClientDisconnect:  # before the request body was complete
            return None
        except Exception as error:
            # Breaking the connection tells the client that the body it is reading is incomplete.
            if observation.has_begun:
                raise
            await build_problem_response(HTTPConnection(scope), error)(scope, receive, send_with_headers)
            # A GatewayError that gets here is expected: a middleware rejected the request.
            return None if isinstance(error, GatewayError) else error
        return None


def _add_headers(message: Message, headers: tuple[tuple[bytes, bytes], ...]) -> None:
    own = message.get("headers", [])
    # Vary is a list: further header lines add to it.
    names = {name for name, _ in own} - {b"vary"}
    message["headers"] = [*own, *(header for header in headers if header[0] not in names)]


def get_context(request: Request) -> RequestContext:
    """Build the resolvers' context for a request."""
    return build_context(request.scope, request.state.now_ms)


def build_context(scope: Scope, now_ms: int) -> RequestContext:
    """Build the resolvers' context for a request or a WebSocket operation; `now_ms` is ms since the epoch, UTC."""
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
    """Subscribe to the feed for the duration of the block; card numbers are masked unless the caller may see them.

    Raises:
        TooManySubscriptionsError: the caller already has the maximum number of live streams open.
        LiveUnavailableError, LiveEventUnknownError, DatabaseError: as in `TransactionFeed.open`.
    """
    app, state = scope["app"].state, scope["state"]
    feed: TransactionFeed = app.feed
    masked = CallerScope.CARDS_READ not in state["caller"].scopes
    with app.subscription_limit.hold(scope):
        async with feed.open(wanted, after, masked=masked) as events:
            yield events
