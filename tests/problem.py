"""Checks the shape that every REST problem has."""

from typing import Any

import httpx

from gateway.problems import PROBLEMS

PROBLEM_KEYS = {"type", "title", "status", "detail", "instance", "code", "request_id"}


def check_problem(response: httpx.Response) -> dict[str, Any]:
    """Assert that a response is a problem as RFC 9457 and the table of problems define it, and return its body."""
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body.keys() == PROBLEM_KEYS
    problem = PROBLEMS[body["code"]]
    assert body["status"] == response.status_code == problem.status
    assert body["title"] == problem.title
    assert body["type"] == f"/errors/{problem.code}"
    assert body["request_id"] == response.headers["x-request-id"]
    return body
