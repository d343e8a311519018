"""Builds the application: the only place that wires settings, database, schema and routes together."""

import re
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.routing import BaseRoute, Match, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from database.client import open_client
from database.environment import DatabaseEnvironment
from database.errors import GatewayError
from database.explain import explain
from database.feed import TransactionFeed
from database.repository import TransactionRepository
from database.rollup import open_rollup
from gateway import error_pages, graphql, health, live, metrics, pages, rest, summary, websocket
from gateway.admission import Admission, AdmissionMiddleware
from gateway.authentication import AuthenticationMiddleware
from gateway.compression import CompressionMiddleware
from gateway.deadline import DeadlineMiddleware
from gateway.documents import load_documents
from gateway.errors import SLASH_AT_END, MethodNotAllowedError, NotFoundError
from gateway.feed_log import FeedLog
from gateway.observation import Observer
from gateway.openapi import DESCRIPTION, TITLE, build_document
from gateway.origin import OriginMiddleware
from gateway.path import STATIC_PATH
from gateway.problem_response import build_problem_response
from gateway.rate import RateLimitMiddleware
from gateway.request import RequestMiddleware
from gateway.rollup_log import RollupLog
from gateway.settings import Settings
from gateway.shared_list import SharedLists
from gateway.subscription_limit import SubscriptionLimit
from gateway.version import VERSION
from gateway.worker_folder import find_worker_folder
from schema.schema import build_schema
from schema.watch import SummaryWatches

# The first route that matches wins: live's comes before rest's, which would read `live` as a number of days.
_ROUTERS = (
    live.router,
    rest.router,
    summary.router,
    graphql.router,
    health.router,
    metrics.router,
    error_pages.router,
    pages.router,
)


class _Application(FastAPI):
    """FastAPI without the layers that duplicate RequestMiddleware's error handling or serve features not used here."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Bypasses FastAPI's own, which looks for a tracer on each request.
        await Starlette.__call__(self, scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        app: ASGIApp = ExceptionMiddleware(self.router, handlers=self.exception_handlers)
        for middleware, arguments, options in reversed(self.user_middleware):
            app = middleware(app, *arguments, **options)
        return app


def create_app(settings: Settings, environment: DatabaseEnvironment) -> FastAPI:
    """Build one worker's application; it connects to the database at startup and disconnects at shutdown."""
    observer = Observer(settings)

    @asynccontextmanager
    async def open_database(app: FastAPI) -> AsyncIterator[None]:
        client = open_client(environment, observer.listeners)
        observer.explain_with(partial(explain, client[environment.database]))
        async with AsyncExitStack() as stack:
            stack.push_async_callback(client.close)
            stack.push_async_callback(observer.close)
            rollup = None
            if settings.has_rollups:
                rollup = await stack.enter_async_context(open_rollup(client, environment.database, RollupLog()))
            repository = TransactionRepository(
                client,
                environment.database,
                timeout_ms=settings.database_timeout_ms,
                rollup=rollup,
                most_summaries=settings.max_concurrent,
            )
            app.state.repository = repository
            app.state.revealing_repository = repository.reveal_cards()
            app.state.feed = TransactionFeed(client, environment.database, live.encode_frame, FeedLog())
            stack.push_async_callback(app.state.feed.close)
            app.state.probe = health.DatabaseProbe(repository.check)
            yield

    app = _Application(
        title=TITLE,
        description=DESCRIPTION,
        version=VERSION,
        lifespan=open_database,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.settings = settings
    app.state.is_draining = False
    app.state.admission = Admission(settings.max_concurrent)
    app.state.lists = SharedLists()
    app.state.subscription_limit = SubscriptionLimit(settings.max_subscriptions)
    app.state.sockets = websocket.Sockets()
    app.state.watches = SummaryWatches()
    app.state.schema = build_schema(settings.limits)
    folder = find_worker_folder()
    app.state.documents = load_documents(
        settings.trusted_documents, app.state.schema, folder / "documents" if folder else None
    )
    for router in _ROUTERS:
        # With include_router, each request would be matched against routers before routes.
        app.router.routes.extend(router.routes)
    app.router.routes.append(websocket.route)
    app.mount(STATIC_PATH, pages.PageFiles(directory=pages.STATIC, check_dir=False))
    _match_whole_paths(app.router.routes)
    _add_middlewares(app, settings, observer)
    app.add_exception_handler(GatewayError, _answer_gateway_error)
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.openapi = lambda: build_document(app)  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    return app


def _add_middlewares(app: FastAPI, settings: Settings, observer: Observer) -> None:
    # A request meets the last one added first. Admission and the deadline enclose compression, so that it counts as
    # work on the request; the deadline encloses admission, so that queueing counts towards the time limit.
    app.add_middleware(CompressionMiddleware)
    app.add_middleware(AdmissionMiddleware, admission=app.state.admission)
    app.add_middleware(DeadlineMiddleware, settings=settings)
    for middleware in (RateLimitMiddleware, AuthenticationMiddleware, OriginMiddleware):
        app.add_middleware(middleware, settings=settings)
    app.add_middleware(RequestMiddleware, observer=observer, routes=app.router.routes)


def _match_whole_paths(routes: Iterable[BaseRoute]) -> None:
    """Make each route match the whole path: Starlette's `$` also matches before a trailing line break.

    /graphql%0A would otherwise be routed as /graphql, while checks that compare the path, such as authorisation, would
    not recognise it.
    """
    for route in routes:
        if isinstance(route, Route | WebSocketRoute | Mount):
            begin = route.path_regex.pattern.removesuffix("$").removesuffix(r"\Z")
            # DOTALL: a card type may contain any character; its handler reports those that are not accepted.
            route.path_regex = re.compile(begin + r"\Z", re.DOTALL)


async def _answer_gateway_error(request: Request, error: Exception) -> Response:
    return build_problem_response(request, error)


async def _answer_http_error(request: Request, _error: Exception) -> Response:
    """Build the response to an unknown path, or to a method that the path does not support."""
    path = request.scope["path"]
    methods = _find_methods(request, path)
    if not methods:
        if path.endswith("/") and _find_methods(request, path[:-1]):
            return build_problem_response(request, NotFoundError(SLASH_AT_END))
        paths = ", ".join(request.app.openapi()["paths"])
        return build_problem_response(request, NotFoundError(f"There is nothing at this path; the paths are {paths}."))
    # RequestMiddleware handles HEAD wherever GET is supported.
    allowed = ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
    error = MethodNotAllowedError(f"{request.method} is not allowed here; use {allowed}.", allowed)
    return build_problem_response(request, error)


def _find_methods(request: Request, path: str) -> set[str]:
    """Return the methods that a path supports; none if the path does not exist."""
    scope = {**request.scope, "path": path}
    return {
        method
        for router in _ROUTERS
        for route in router.routes
        if isinstance(route, Route) and route.matches(scope)[0] != Match.NONE
        for method in route.methods or ()
    }
