"""What each problem of REST looks like, whatever went wrong."""

from typing import Any

import httpx

from gateway.problems import PROBLEMS

PROBLEM_KEYS = {"type", "title", "status", "detail", "instance", "code", "request_id"}


def check_problem(response: httpx.Response) -> dict[str, Any]:
    """Assert that an answer is a problem as RFC 9457 and the table have it."""
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body.keys() == PROBLEM_KEYS
    problem = PROBLEMS[body["code"]]
    assert body["status"] == response.status_code == problem.status
    assert body["title"] == problem.title
    assert body["type"] == f"/errors/{problem.code}"
    assert body["request_id"] == response.headers["x-request-id"]
    return body
