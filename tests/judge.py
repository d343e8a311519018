"""Checks what must hold of every response of the gateway, and of each error, whatever the request.

It knows nothing of how the request was made.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import httpx
import pyarrow as pa  # type: ignore[import-untyped]  # pyarrow ships without types
from pyarrow import parquet
from schemathesis.checks import CheckFunction
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.authentication import PUBLIC
from gateway.path import GRAPHQL_PATH
from gateway.problems import PROBLEMS
from gateway.protocol import NOT_HTTP
from tests.exchange import Answer, Request
from tests.problem import PROBLEM_KEYS

# Text that reveals the gateway's internals.
_INSIDES = re.compile(
    r"Traceback|File \"|\.py\b|pymongo|bson\.|OperationFailure|errmsg|strawberry|starlette|fastapi|uvicorn|NoneType"
    r"|object at 0x|<class |Exception\b|mongodb://|\$maxTimeMS|unhashable|codec can't",
    re.IGNORECASE,
)
_REQUEST_ID = re.compile(r"[0-9a-f]{32}")
_MASKED = re.compile(r"\*{12}.{0,4}", re.DOTALL)
_DIGITS = re.compile(r"\d{12,}")
_HEADERS = {
    "x-request-id": _REQUEST_ID,
    "cache-control": re.compile(r"no-store|no-cache|public, max-age=31536000, immutable"),
    "content-security-policy": re.compile(r"default-src '(none|self)'.*frame-ancestors 'none'"),
    "cross-origin-opener-policy": re.compile("same-origin"),
    "cross-origin-resource-policy": re.compile("same-origin"),
    "referrer-policy": re.compile("no-referrer"),
    "x-content-type-options": re.compile("nosniff"),
}
# Responses sent below the application: to input that is not HTTP, or whose head is too long (gateway/protocol.py).
_BELOW = {(400, str(len(NOT_HTTP))), (431, "0")}
_LONG_TARGET = 65_000
_ERRORS = {"application/problem+json", "application/json", "application/graphql-response+json"}
_TEXT_ROWS = {"application/x-ndjson", "text/csv", "text/event-stream"}
_PARQUET = "application/vnd.apache.parquet"
_COLUMNS = {_PARQUET, "application/vnd.apache.arrow.stream"}
_ROWS = _TEXT_ROWS | _COLUMNS
_RESULTS = _ERRORS | _ROWS | {"text/plain", "text/html"}
_CHECKS: list[CheckFunction] = [
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]


class FaultError(AssertionError):
    """A wrong response; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Judge:
    """What is known about the gateway under test.

    Attributes:
        numbers: every card number in its database, digits only.
        is_open: whether requests need no credentials.
        readers: the keys that may read transactions.
        revealing: the keys among `readers` that may see full card numbers.
        is_declared: whether all documents have the declared shape. If not, some cannot be served, and
            502 MALFORMED_DOCUMENT is the one 5xx response that is right.
    """

    numbers: frozenset[str]
    is_open: bool
    readers: frozenset[str]
    revealing: frozenset[str]
    is_declared: bool

    def judge(self, request: Request, answer: Answer | None) -> None:
        """Check a response.

        Raises:
            FaultError: the response is wrong.
        """
        if answer is None or is_below(answer):
            is_sound = request.kind not in {"malice", "wire"} and len(request.target) < _LONG_TARGET
            expect(not is_sound, "a sound request is not answered by the application")
            return
        _check_headers(request, answer)
        text = answer.body.decode("utf-8", "replace")
        self._check_status(answer, text)
        if answer.body:
            expect(answer.media_type in _RESULTS or _is_file(request), f"the body is {answer.media_type!r}")
            body: Any
            if answer.media_type in _COLUMNS:
                body = _read_columns(answer)
                text = str(body)
            else:
                body = _read_json(answer, text)
            if not _is_file(request):
                found = _INSIDES.search(text)
                expect(not found, f"the body says {found and found.group()!r}")
            if answer.status >= 400 or (isinstance(body, dict) and "errors" in body):
                _check_error(request, answer, body)
            self._check_access(request, answer, body)
            self._check_numbers(request, answer, text, body)
            self._check_document(request, answer)

    def _check_status(self, answer: Answer, text: str) -> None:
        expect(answer.status not in range(300, 400) or answer.status == 304, f"a redirection, {answer.status}")
        is_malformed = answer.status == 502 and '"MALFORMED_DOCUMENT"' in text and not self.is_declared
        expect(answer.status < 500 or is_malformed, f"the status is {answer.status}")
        expect(answer.status != 429, "too many requests")

    def _check_access(self, request: Request, answer: Answer, body: Any) -> None:
        """Check that nothing read from the database is served without a key that may read."""
        if self.is_open or answer.status >= 300 or _list_keys(request) & self.readers:
            return
        segment = unquote(request.target.decode("latin-1")).partition("?")[0][1:].partition("/")[0]
        is_public = segment in PUBLIC or answer.media_type == "text/html" or segment == "metrics"
        is_told = isinstance(body, list) or (isinstance(body, dict) and bool(body.keys() & {"data", "count"}))
        expect(is_public, "answered without a key that allows it")
        expect(not is_told and answer.media_type not in _ROWS, "transactions are told without a key that allows it")

    def _check_numbers(self, request: Request, answer: Answer, text: str, body: Any) -> None:
        is_revealing = bool(_list_keys(request) & self.revealing) and answer.status < 300
        if is_revealing:
            return
        words = text if body is None else "\n".join(map(str, _walk(body)))
        # The request id (a trace id that the caller may send) and the filters in a Link are the caller's own input.
        words += "\n" + "\n".join(value for name, value in answer.headers if name not in {"x-request-id", "link"})
        told = self.numbers & {number for digits in _DIGITS.findall(words) for number in _cut(digits)}
        expect(not told, f"card numbers are told: {sorted(told)}")
        for number in _find_card_numbers(answer, text, body):
            expect(bool(_MASKED.fullmatch(number)), "a card number is not masked")

    def _check_document(self, request: Request, answer: Answer) -> None:
        """Check the response against the OpenAPI document, unless it may hold documents of another shape."""
        if request.case is None or not (self.is_declared or answer.status >= 400):
            return
        path = request.target.decode("latin-1")
        response = httpx.Response(
            answer.status,
            headers=[header for header in answer.headers if header[0] != "content-encoding"],
            content=answer.body,
            request=httpx.Request(request.method.decode(), f"http://127.0.0.1{path}"),
        )
        response.elapsed = timedelta(seconds=answer.seconds)
        try:
            request.case.validate_response(response, checks=_CHECKS)
        except (Failure, FailureGroup) as error:
            raise FaultError(f"not as the OpenAPI document says: {error}") from None


def is_below(answer: Answer) -> bool:
    """Whether the response was sent below the application."""
    length = (answer.get_all("content-length") or [""])[0]
    return (answer.status, length) in _BELOW and not answer.get_all("x-request-id")


def expect(is_well: bool, otherwise: str) -> None:  # noqa: FBT001 - reads like `assert`
    """Raise FaultError with the message `otherwise` unless `is_well`."""
    if not is_well:
        raise FaultError(otherwise)


def _check_headers(request: Request, answer: Answer) -> None:
    for name, pattern in _HEADERS.items():
        values = answer.get_all(name)
        expect(len(values) == 1 and bool(pattern.fullmatch(values[0])), f"{name} is {values}")
    for name in ("server", "access-control-allow-origin", "set-cookie", "x-powered-by"):
        expect(not answer.get_all(name), f"{name} is sent")
    is_empty = not answer.body
    is_rightly_empty = request.method == b"HEAD" or answer.status in {204, 304} or answer.media_type in _TEXT_ROWS
    expect(not is_empty or is_rightly_empty or _is_file(request), f"{answer.status} without a body")


def _read_json(answer: Answer, text: str) -> Any:
    """Return the body decoded as JSON, or None if it is of another type."""
    if answer.media_type in _TEXT_ROWS or not answer.media_type.endswith("json"):
        return None
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except ValueError as error:
        raise FaultError(f"the body is not JSON: {error}") from None


def _read_columns(answer: Answer) -> list[Any]:
    """Return what a reader sees of a columnar file: the rows, then the schema metadata."""
    try:
        if answer.media_type == _PARQUET:
            table = parquet.read_table(io.BytesIO(answer.body))
        else:
            table = pa.ipc.open_stream(answer.body).read_all()
    except pa.ArrowException as error:
        raise FaultError(f"the columns cannot be read: {error}") from None
    # Other programs may have stored dates outside the range of Python's datetime.
    table = table.set_column(table.column_names.index("date"), "date", table["date"].cast(pa.int64()))
    return [*table.to_pylist(), str(table.schema.metadata)]


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _check_error(request: Request, answer: Answer, body: Any) -> None:
    """Check that each error has the one shape of its API style, a code from the table and this request's id."""
    (request_id,) = answer.get_all("x-request-id")
    if answer.media_type == "application/problem+json":
        expect(isinstance(body, dict) and body.keys() == PROBLEM_KEYS, "not the members of a problem")
        problem = PROBLEMS.get(body["code"])
        expect(problem is not None, f"{body['code']} is not in the table")
        assert problem is not None
        told = (body["status"], body["title"], body["type"], body["request_id"])
        due = (answer.status, problem.title, f"/errors/{problem.code}", request_id)
        expect(told == due and problem.status == answer.status, f"the problem tells {told}")
        expect(_find_path(request) != GRAPHQL_PATH, "GraphQL is answered with a problem")
        expect(len(body["detail"]) < 1_500, "the detail is long")
        return
    expect(answer.media_type in _ERRORS, f"an error as {answer.media_type!r}")
    expect(_find_path(request) == GRAPHQL_PATH, "a path of REST is answered in GraphQL's shape")
    expect(isinstance(body, dict) and bool(body.get("errors")), "no errors")
    for error in body["errors"]:
        extensions = error["extensions"]
        expect(error.keys() <= {"message", "locations", "path", "extensions"}, "members that no error has")
        expect(extensions.keys() == {"code", "request_id"} and bool(error["message"]), "not the shape of an error")
        expect(extensions["code"] in PROBLEMS, f"{extensions['code']} is not in the table")
        expect(extensions["request_id"] == request_id, "another request's id")
    status = PROBLEMS[body["errors"][0]["extensions"]["code"]].status
    # Partial results, and errors for clients that do not accept application/graphql-response+json, come with 200.
    expect(answer.status in {status, 200}, f"{status} is the code's status, {answer.status} was answered")


def _find_path(request: Request) -> str:
    return unquote(request.target.decode("latin-1").partition("?")[0].partition("#")[0])


def _is_file(request: Request) -> bool:
    return _find_path(request).startswith("/static/")


def _list_keys(request: Request) -> set[str]:
    """Return the API keys sent anywhere in the request."""
    sent = request.render(b"").decode("latin-1")
    return set(re.findall(r"txgw_[0-9a-f]{8}_[0-9a-f]{64}", sent))


def _walk(value: Any) -> Iterator[object]:
    """Yield the values of a JSON body; names and the `path` of an error come from the caller and are skipped."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name != "path":
                yield from _walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner)
    else:
        yield value


def _cut(digits: str) -> Iterator[str]:
    """Yield every run of digits that is as long as a card number."""
    for length in range(12, 20):
        for start in range(len(digits) - length + 1):
            yield digits[start : start + length]


def _find_card_numbers(answer: Answer, text: str, body: Any) -> list[str]:
    """Return the values served under the name `cardNumber`."""
    if answer.media_type == "text/csv":
        return [row["cardNumber"] for row in csv.DictReader(io.StringIO(text, newline="")) if row["cardNumber"]]
    if answer.media_type == "application/x-ndjson":
        body = [json.loads(line) for line in text.split("\n") if line]
    return [str(number) for number in _find_members(body, "cardNumber")]


def _find_members(value: Any, name: str) -> Iterator[object]:
    if isinstance(value, dict):
        for given, inner in value.items():
            if given == name and isinstance(inner, str | int | float):
                yield inner
            else:
                yield from _find_members(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _find_members(inner, name)
