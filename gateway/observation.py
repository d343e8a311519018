"""Observes a request: its log line, metrics and span, all written when its response ends.

It must not change a response, nor reveal a value that may contain a card number.
"""

import logging
import secrets
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import structlog
from starlette.routing import BaseRoute, Match, Route, WebSocketRoute
from starlette.types import Message, Scope

from database.errors import GatewayError
from database.meter import METER, Meter
from database.monitor import CommandMonitor, CommandReport, PoolMonitor, PrimaryMonitor
from gateway.log import clean_text, describe_exception
from gateway.metrics import (
    BUILD_INFO,
    DATABASE_SECONDS,
    ERRORS,
    GRAPHQL_FIELDS,
    POOL_CONNECTIONS,
    REQUEST_SECONDS,
    REQUESTS,
    REQUESTS_FAILED,
    REQUESTS_IN_FLIGHT,
    ROWS,
    SHARED_QUERIES,
    find_child,
)
from gateway.pages import PATHS as PAGES
from gateway.path import GRAPHQL_PATH, STATIC_PATH
from gateway.problems import PROBLEMS
from gateway.settings import Settings
from gateway.slow_query import Explain, SlowQueryLog
from gateway.traceparent import find_traceparent, get_trace_id
from gateway.version import VERSION
from schema.failure import INTERNAL_ERROR

if TYPE_CHECKING:
    from gateway.tracing import RequestSpan, Tracing

logger = structlog.get_logger()

UNKNOWN_ROUTE = "unknown"
_PROBES = ("/health/live", "/health/ready")
_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
_LONGEST_QUERY = 1_000
_MOST_PARAMETERS = 10
# The fields of a request's log line, in order; docs/operations.md documents them all.
REQUEST_FIELDS = (
    "caller",
    "client",
    "method",
    "route",
    "question",
    "status",
    "code",
    "rows",
    "bytes",
    "duration_ms",
    "database_ms",
)


class Observer:
    """Observes all requests and database commands of a worker; close it at shutdown to send the last spans.

    Attributes:
        listeners: event listeners for the database client.
    """

    def __init__(self, settings: Settings) -> None:
        """Set up slow-query logging and tracing according to the settings."""
        self._slow_queries = SlowQueryLog(settings.slow_query_ms)
        self._tracing = _open_tracing() if settings.is_tracing else None
        observers = [_count_command, self._slow_queries.observe, *([self._tracing.observe] if self._tracing else ())]
        self.listeners = (
            CommandMonitor(*observers),
            PoolMonitor(_count_connections),
            # The requests that fail meanwhile are logged at info, which is often disabled.
            PrimaryMonitor(
                lambda: logger.warning("the database is away"), lambda: logger.warning("the database is back")
            ),
        )
        find_child(BUILD_INFO, VERSION).set(1)

    def explain_with(self, explain: Explain) -> None:
        """Log slow commands together with the plans that `explain` returns."""
        self._slow_queries.explain_with(explain)

    def begin(self, scope: Scope, method: str) -> "Observation":
        """Start observing a request that has just arrived; `method` is the client's, which may be HEAD."""
        traceparent = find_traceparent(scope["headers"])
        span = self._tracing.begin(scope, method, traceparent) if self._tracing else None
        if span is not None:
            request_id = span.trace_id
        else:
            request_id = get_trace_id(traceparent) if traceparent else secrets.token_hex(16)
        return Observation(scope, method, request_id, span)

    async def close(self) -> None:
        """Write the pending slow-query lines and spans, within a few seconds."""
        await self._slow_queries.close()
        if self._tracing:
            self._tracing.close()


def _open_tracing() -> "Tracing":
    from gateway.tracing import Tracing  # noqa: PLC0415 - the package is optional

    return Tracing()


class Observation:
    """One request, from its arrival to the end of its response.

    Attributes:
        request_id: 32 hexadecimal digits: the trace id (W3C Trace Context) if the caller sent one.
    """

    def __init__(self, scope: Scope, method: str, request_id: str, span: "RequestSpan | None") -> None:
        """Start measuring; database work in this task and in tasks it starts is attributed to the request."""
        self.request_id = request_id
        self._scope = scope
        self._method = method
        self._span = span
        self._started = time.perf_counter()
        self._meter = Meter()
        METER.set(self._meter)
        structlog.contextvars.bind_contextvars(request_id=request_id)
        self._status: int | None = None
        self._bytes = 0
        self._is_whole = False
        self._operation: dict[str, object] | None = None
        self._stream_seconds: float | None = None
        REQUESTS_IN_FLIGHT.inc()

    @property
    def has_begun(self) -> bool:
        """Whether the response has begun, so that it can no longer be replaced."""
        return self._status is not None

    def note_message(self, message: Message) -> None:
        """Record an ASGI message of the response."""
        kind = message["type"]
        if kind.endswith("http.response.start"):
            self._status = int(message["status"])
        elif kind == "websocket.accept":
            self._status = HTTPStatus.SWITCHING_PROTOCOLS.value
            self._is_whole = True
        elif kind == "websocket.send":
            text = message["text"]
            self._bytes += len(text) if text.isascii() else len(text.encode())
        elif kind != "websocket.close":
            self._is_whole = not message.get("more_body")
            if self._method != "HEAD":
                self._bytes += len(message.get("body", b""))

    def note_stream(self) -> None:
        """Record that the response is an open-ended stream: in the metrics, the request ends here."""
        if self._stream_seconds is None:
            self._stream_seconds = time.perf_counter() - self._started
            REQUESTS_IN_FLIGHT.dec()

    def note_operation(self, name: str | None, fields: Sequence[str]) -> None:
        """Record a GraphQL operation: its name, and the valid fields of the query type that it selects."""
        self._operation = {"operation": name and clean_text(name), "fields": list(fields)}
        for field in fields:
            find_child(GRAPHQL_FIELDS, field).inc()

    def end(self, error: BaseException | None, routes: Sequence[BaseRoute]) -> None:
        """Write the log line, metrics and span; `error` is one that cut the response short or was unexpected."""
        seconds = time.perf_counter() - self._started
        state = self._scope["state"]
        route, parameters = _find_route(self._scope, routes)
        code = state.get("code")
        if error is not None and code is None:
            code = error.code if isinstance(error, GatewayError) else INTERNAL_ERROR
        self._count(route, seconds, code)
        if self._span is not None:
            self._span.end(route, self._status, code)
        if route in _PROBES and error is None:
            return
        level, event = self._describe_outcome(error)
        if logger.is_enabled_for(level):
            failure = describe_exception(error) if error is not None else {}
            logger.log(level, event, **self._build_line(route, parameters, code, seconds), **failure)

    def _build_line(
        self, route: str, parameters: dict[str, Any], code: str | None, seconds: float
    ) -> dict[str, object]:
        scope = self._scope
        caller, client = scope["state"].get("caller"), scope.get("client")
        values = (
            clean_text(caller.name) if caller else None,
            clean_text(client[0]) if client else None,
            self._method,
            route,
            self._operation or _clean_parameters(scope, route, parameters),
            self._status,
            code,
            self._meter.rows,
            self._bytes,
            round(seconds * 1000, 3),
            round(self._meter.seconds * 1000, 3),
        )
        return dict(zip(REQUEST_FIELDS, values, strict=True))

    def _count(self, route: str, seconds: float, code: str | None) -> None:
        status = "none" if self._status is None else str(self._status)
        if self._stream_seconds is None:
            REQUESTS_IN_FLIGHT.dec()
        find_child(REQUESTS, self._method if self._method in _METHODS else "other", route, status).inc()
        find_child(REQUEST_SECONDS, route).observe(self._stream_seconds or seconds)
        if self._meter.rows:
            find_child(ROWS, "graphql" if route == GRAPHQL_PATH else "rest").inc(self._meter.rows)
        if self._meter.shared:
            find_child(SHARED_QUERIES, "page").inc(self._meter.shared)
        if code:
            find_child(ERRORS, code).inc()
            # Not by the response status: GraphQL sends 200 with partial data, and a list sends 200 before it breaks.
            if self._stream_seconds is None and PROBLEMS[code].status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                find_child(REQUESTS_FAILED, route).inc()

    def _describe_outcome(self, error: BaseException | None) -> tuple[int, str]:
        if error is None:
            return logging.INFO, "answered" if self._is_whole else "the client left"
        if isinstance(error, Exception) and not isinstance(error, GatewayError):
            return logging.ERROR, "broke off" if not self._is_whole else "failed"
        return logging.WARNING, "broke off"


def _find_route(scope: Scope, routes: Sequence[BaseRoute]) -> tuple[str, dict[str, Any]]:
    """Return a request's route template and path parameters, even if it was rejected before it reached the router."""
    if isinstance(route := scope.get("route"), Route | WebSocketRoute):
        return route.path_format, scope["path_params"]
    if scope["path"].startswith(STATIC_PATH):
        return STATIC_PATH + "{path}", {}
    for each in routes:
        match, child = each.matches(scope)
        if match != Match.NONE and isinstance(each, Route | WebSocketRoute):
            return each.path_format, child["path_params"]
    return UNKNOWN_ROUTE, {}


def _clean_parameters(scope: Scope, route: str, parameters: dict[str, Any]) -> dict[str, str] | None:
    """Return a REST request's path and query parameters by name, with the caller's own text made safe for the log."""
    if route in {UNKNOWN_ROUTE, GRAPHQL_PATH, *PAGES} or route.startswith(STATIC_PATH):
        return None
    cleaned = {name: clean_text(str(value)) for name, value in parameters.items()}
    query: bytes = scope["query_string"]
    if len(query) > _LONGEST_QUERY:
        # Cut between parameters: part of a card number would not be recognised as one.
        query = query[:_LONGEST_QUERY].rpartition(b"&")[0]
    if query:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
        cleaned |= {clean_text(name): clean_text(value) for name, value in pairs[:_MOST_PARAMETERS]}
    return cleaned or None


def _count_command(report: CommandReport) -> None:
    """Record the duration of a database command."""
    find_child(DATABASE_SECONDS, report.name).observe(report.seconds)


def _count_connections(idle: int, in_use: int) -> None:
    """Adjust the gauges of the driver's connections; the arguments are changes."""
    find_child(POOL_CONNECTIONS, "idle").inc(idle)
    if in_use:
        find_child(POOL_CONNECTIONS, "in_use").inc(in_use)
