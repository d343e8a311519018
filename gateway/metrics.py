"""The gateway's metrics for Prometheus: their names, their labels, and `GET /metrics`.

Labels must be bounded: a route's template and never a path, a code of the table, a field of the schema.
docs/operations.md documents each metric; gateway/worker_folder.py sets where they are stored.
"""

from functools import lru_cache
from typing import TypeVar

from fastapi import APIRouter
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.concurrency import run_in_threadpool

from gateway.route import DirectRoute
from gateway.worker_folder import find_worker_folder

_Metric = TypeVar("_Metric", Counter, Gauge, Histogram)

router = APIRouter(route_class=DirectRoute)
REGISTRY = CollectorRegistry()

# From a count on an index (1 ms) to the longest time that a request may wait.
_REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_COMMAND_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


def _count(name: str, meaning: str, *labels: str) -> Counter:
    return Counter(name, meaning, labels, registry=REGISTRY)


def _gauge(name: str, meaning: str, *labels: str, mode: str = "livesum") -> Gauge:
    return Gauge(name, meaning, labels, registry=REGISTRY, multiprocess_mode=mode)  # type: ignore[arg-type]  # a literal


REQUESTS = _count("gateway_requests_total", "Requests that were answered.", "method", "route", "status")
REQUESTS_FAILED = _count(
    "gateway_requests_failed_total", "Requests that failed by the gateway's or the database's fault.", "route"
)
REQUEST_SECONDS = Histogram(
    "gateway_request_duration_seconds",
    "Time from the arrival of a request to the end of its answer.",
    ("route",),
    registry=REGISTRY,
    buckets=_REQUEST_BUCKETS,
)
REQUESTS_IN_FLIGHT = _gauge("gateway_requests_in_flight", "Requests that are being answered.")
ERRORS = _count("gateway_errors_total", "Requests that were answered with an error, by its code.", "code")
SHED = _count("gateway_shed_total", "Requests that were rejected to protect the others.", "reason")
SHARED_QUERIES = _count("gateway_shared_queries_total", "Requests that another request's query answered.", "kind")
ROWS = _count("gateway_rows_total", "Rows that were read from the database.", "style")
GRAPHQL_FIELDS = _count("gateway_graphql_fields_total", "Fields of the query type that were asked for.", "field")
DATABASE_SECONDS = Histogram(
    "gateway_database_duration_seconds",
    "Time of the commands that were sent to the database.",
    ("command",),
    registry=REGISTRY,
    buckets=_COMMAND_BUCKETS,
)
ROLLUP_COUNTS = _count(
    "gateway_rollup_counts_total", "Counts of a card in a window, by where they came from.", "source"
)
ROLLUP_LAG = _gauge(
    "gateway_rollup_lag_seconds",
    "Lag of the change stream behind the database, of the slowest worker; it grows while the stream cannot be read.",
    mode="livemax",
)
LIVE_SUBSCRIBERS = _gauge("gateway_live_subscribers", "Subscribers of live transactions.")
LIVE_EVENTS = _count("gateway_live_events_total", "Live transactions that were sent, once for each subscriber.")
LIVE_CUT_OFF = _count(
    "gateway_live_cut_off_total",
    "Subscribers that were disconnected, by the code of the error that they were sent.",
    "code",
)
LIVE_LAG = _gauge(
    "gateway_live_lag_seconds",
    "Lag of the live stream behind the database, of the slowest worker; it grows while the stream cannot be read.",
    mode="livemax",
)
POOL_CONNECTIONS = _gauge("gateway_database_pool_connections", "Connections to the database.", "state")
WORKER_RESTARTS = _count("gateway_worker_restarts_total", "Workers that replaced one that had ended.")
BUILD_INFO = _gauge("gateway_build_info", "Always 1; the label is the gateway's version.", "version", mode="max")

# All metrics above; docs/operations.md lists the same.
DECLARED = tuple(each for each in globals().values() if isinstance(each, Counter | Gauge | Histogram))


@lru_cache(maxsize=1_000)
def find_child(metric: _Metric, *labels: str) -> _Metric:
    """Return a metric's child for these labels; `metric.labels` takes a lock and three times as long."""
    return metric.labels(*labels)


def count_shed(reason: str) -> None:
    """Count a rejected request; `reason` is one of a few fixed words in the code, such as `overload`."""
    find_child(SHED, reason).inc()


@router.get("/metrics", include_in_schema=False)
async def answer_metrics() -> Response:
    """Return the metrics of all workers together, in the text format of Prometheus."""
    # In a thread: it reads and merges the workers' files.
    return Response(await run_in_threadpool(_write_metrics), media_type=CONTENT_TYPE_LATEST)


def _write_metrics() -> bytes:
    folder = find_worker_folder()
    registry = REGISTRY
    if folder is not None:
        registry = CollectorRegistry()
        MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
    return generate_latest(registry)
