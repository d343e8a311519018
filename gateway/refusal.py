"""Rejects requests in an overload before the application is called, at a tenth of the cost of passing through it.

gateway/admission.py decides what an overload is; the response is the one that it would cause.
"""

import random
from collections.abc import Callable

from uvicorn._types import HTTPScope

from gateway.admission import REFUSAL, Admission, queries_database
from gateway.metrics import ERRORS, REQUESTS, REQUESTS_FAILED, find_child
from gateway.origin import HEADERS
from gateway.problem_response import build_problem_body, build_retry_headers
from gateway.problems import PROBLEMS
from gateway.traceparent import find_traceparent, get_trace_id

_PROBLEM = PROBLEMS["OVERLOADED"]
# The route in the metrics: these requests are not logged one by one, and their path is not matched with a route.
ROUTE = "turned away"
_HEAD = b"HTTP/1.1 503 Service Unavailable\r\n" + b"".join(
    b"%s: %s\r\n" % header
    for header in (
        *HEADERS,
        (b"cross-origin-resource-policy", b"same-origin"),
        *((name.lower().encode(), value.encode()) for name, value in build_retry_headers(_PROBLEM.status).items()),
    )
)


class Refusal:
    """Returns the complete response to a request that is rejected, or None for one that may enter."""

    def __init__(self, admission: Admission, is_draining: Callable[[], bool] = lambda: False) -> None:
        self._admission = admission
        self._is_draining = is_draining

    def __call__(self, scope: HTTPScope) -> bytes | None:
        """Decide by a request's head."""
        if not self._admission.is_overloaded or not queries_database(scope["path"]):
            return None
        # A request with an Origin may need CORS headers, which this response lacks; while the gateway drains, the
        # application's responses close their connections, which this one does not.
        if any(name == b"origin" for name, _ in scope["headers"]) or self._is_draining():
            return None
        if not self._admission.turns_away():
            return None
        method = "HEAD" if scope["method"] == "HEAD" else "GET" if scope["method"] == "GET" else "other"
        find_child(REQUESTS, method, ROUTE, "503").inc()
        find_child(REQUESTS_FAILED, ROUTE).inc()
        find_child(ERRORS, _PROBLEM.code).inc()
        traceparent = find_traceparent(list(scope["headers"]))
        request_id = get_trace_id(traceparent) if traceparent else f"{random.getrandbits(128):032x}"
        body, media_type = build_problem_body(_PROBLEM, REFUSAL, scope["path"], request_id)
        own = f"x-request-id: {request_id}\r\ncontent-type: {media_type}\r\ncontent-length: {len(body)}\r\n\r\n"
        return b"".join((_HEAD, own.encode(), b"" if method == "HEAD" else body))
