"""OpenTelemetry spans of requests and their database commands, sent as the OTEL_… variables say.

The only module that imports opentelemetry, an optional package; it is imported only if GATEWAY_TRACING is on. Names
follow the semantic conventions for HTTP servers and databases. It must not reveal a value of a request or a command.
"""

import threading
import time
from contextvars import Token

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import Scope

from database.monitor import CommandReport
from gateway.version import VERSION

# A part of the time that a worker has to close: an unreachable collector must not use up all of it.
_FLUSH_SECONDS = 3
_SERVER_ERROR = 500
_propagator = TraceContextTextMapPropagator()


class Tracing:
    """Creates spans and sends them in batches, from a thread of its own; close it to send the last."""

    def __init__(self) -> None:
        """Read the OTEL_… variables: the collector, its headers and timeouts, the sampler, the batches."""
        own = Resource.create({"service.name": "transactions-gateway", "service.version": VERSION})
        self._provider = TracerProvider(resource=own.merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("gateway", VERSION)

    def begin(self, scope: Scope, method: str, traceparent: str | None) -> "RequestSpan":
        """Start the span of a request, as a child of the caller's if there is one."""
        parent = _propagator.extract({"traceparent": traceparent} if traceparent else {}, context=Context())
        return RequestSpan(self._tracer, parent, method, str(scope.get("scheme", "http")))

    def observe(self, report: CommandReport) -> None:
        """Record a database command as a span within its request's; ignore commands outside of a request."""
        if not trace.get_current_span().get_span_context().is_valid:
            return
        now = time.time_ns()
        span = self._tracer.start_span(
            f"{report.name} {report.collection}".strip(),
            kind=SpanKind.CLIENT,
            start_time=now - int(report.seconds * 1e9),
            attributes={
                "db.system.name": "mongodb",
                "db.operation.name": report.name,
                "db.collection.name": report.collection,
                "db.namespace": report.database,
            },
        )
        if report.error is not None:
            span.set_attribute("error.type", report.error)
            span.set_status(StatusCode.ERROR)
        span.end(now)

    def close(self) -> None:
        """Send the remaining spans, for a few seconds at most."""
        thread = threading.Thread(target=self._provider.shutdown, daemon=True)
        thread.start()
        thread.join(_FLUSH_SECONDS)


class RequestSpan:
    """The span of one request, and the parent of spans in its task until it ends."""

    def __init__(self, tracer: Tracer, parent: Context, method: str, scheme: str) -> None:
        self._method = method
        self._span: Span = tracer.start_span(
            method,
            context=parent,
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method, "url.scheme": scheme},
        )
        self._token: Token[Context] = context.attach(trace.set_span_in_context(self._span, parent))

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits."""
        return trace.format_trace_id(self._span.get_span_context().trace_id)

    def end(self, route: str, status: int | None, code: str | None) -> None:
        """End the span with the request's outcome; `code` is the error's, if it ended with one."""
        self._span.update_name(f"{self._method} {route}")
        self._span.set_attribute("http.route", route)
        if status is not None:
            self._span.set_attribute("http.response.status_code", status)
        if code is not None:
            self._span.set_attribute("error.type", code)
        # A 4xx status is not a server's error (semantic conventions for HTTP servers).
        if status is None or status >= _SERVER_ERROR:
            self._span.set_status(StatusCode.ERROR)
        self._span.end()
        context.detach(self._token)
