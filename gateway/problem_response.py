"""Builds error responses in the format of the request's API style. gateway/problems.py defines the errors."""

from http import HTTPStatus
from urllib.parse import quote

import orjson
from fastapi.responses import Response
from starlette.requests import HTTPConnection

from database.errors import GatewayError, hide_secrets
from gateway.errors import ForbiddenError, MethodNotAllowedError, TooManyRequestsError
from gateway.path import GRAPHQL_PATH
from gateway.problem import Problem
from gateway.problems import PROBLEMS, RETRY_AFTER_SECONDS
from schema.failure import INTERNAL_ERROR, INTERNAL_MESSAGE


def build_problem_response(request: HTTPConnection, error: Exception) -> Response:
    """Build the response to an error, in the format of the API style that the request's path belongs to.

    The text of an error that is not in the table is withheld: it may contain anything.
    """
    code = error.code if isinstance(error, GatewayError) and error.code in PROBLEMS else INTERNAL_ERROR
    problem = PROBLEMS[code]
    # For the log and the metrics.
    request.state.code = code
    detail = hide_secrets(str(error)) if code != INTERNAL_ERROR else INTERNAL_MESSAGE
    body, media_type = build_problem_body(problem, detail, request.scope["path"], request.state.request_id)
    return Response(body, problem.status, _build_headers(problem, error), media_type)


def build_problem_body(problem: Problem, detail: str, path: str, request_id: str) -> tuple[bytes, str]:
    """Build a body and its media type: GraphQL errors at GraphQL's path, a problem (RFC 9457) at all others."""
    if path == GRAPHQL_PATH:
        extensions = {"code": problem.code, "request_id": request_id}
        body: dict[str, object] = {"errors": [{"message": detail, "extensions": extensions}]}
        return orjson.dumps(body), "application/json; charset=utf-8"
    body = {
        "type": f"/errors/{problem.code}",
        "title": problem.title,
        "status": problem.status.value,
        "detail": detail,
        "instance": quote(hide_secrets(path), safe="/*"),
        "code": problem.code,
        "request_id": request_id,
    }
    return orjson.dumps(body), "application/problem+json"


def _build_headers(problem: Problem, error: Exception) -> dict[str, str]:
    if isinstance(error, TooManyRequestsError):
        return {"Retry-After": str(error.retry_after_seconds)}
    if isinstance(error, MethodNotAllowedError):
        return {"Allow": error.allowed}
    if problem.status == HTTPStatus.REQUEST_TIMEOUT:
        # RFC 9110, section 15.5.9: the rest of the body must not be read as the next request.
        return {"Connection": "close"}
    # RFC 6750, section 3.
    challenge = {"WWW-Authenticate": "Bearer"} if problem.status == HTTPStatus.UNAUTHORIZED else {}
    if isinstance(error, ForbiddenError):
        challenge = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{error.scope}"'}
    return challenge | build_retry_headers(problem.status)


def build_retry_headers(status: int) -> dict[str, str]:
    """Build the Retry-After header for statuses with which a retry helps."""
    return {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
