"""The fuzzer, bounded and with a fixed seed, and the judge, tried on responses that it must reject."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]  # pyarrow ships without types
import pytest
import schemathesis
from pyarrow import parquet

from database.embedded import EmbeddedServer
from gateway.contract import build_openapi
from gateway.protocol import NOT_HTTP
from tests.exchange import Answer, Request
from tests.fuzz import Tally, fuzz, judge_log, open_targets
from tests.judge import FaultError, Judge

REQUESTS, SEED = 1_000, 3
NUMBER, KEY = "4929173856205713", f"txgw_00000000_{'0' * 64}"
JUDGE = Judge(frozenset({NUMBER}), is_open=False, readers=frozenset({KEY}), revealing=frozenset(), is_declared=True)
ASKED = Request("openapi", b"GET", b"/transactions/90", key=KEY)
STRANGER = Request("malice", b"GET", b"//transactions/90")
GRAPHQL = Request("graphql", b"POST", b"/graphql", key=KEY)
ID = "0" * 32
HEADERS = {
    "content-type": "application/json",
    "x-request-id": ID,
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; connect-src 'self'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
PROBLEM = {
    "type": "/errors/NOT_FOUND",
    "title": "There is nothing at this path",
    "status": 404,
    "detail": "Nothing.",
    "instance": "/x",
    "code": "NOT_FOUND",
    "request_id": ID,
}
ROW = {"cardNumber": "************5713"}
ERROR = {"message": "Nothing.", "extensions": {"code": "NOT_FOUND", "request_id": ID}}


def build_answer(status: int = 200, body: object = None, **headers: str) -> Answer:
    given = HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
    written = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    return Answer(status, tuple((name, value) for name, value in given.items() if value), written, 0.1)


def build_problem(line: int = 404, **changes: object) -> Answer:
    return build_answer(line, PROBLEM | changes, content_type="application/problem+json")


def build_arrow(number: str) -> Answer:
    sink = io.BytesIO()
    table = build_table(number)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return build_answer(body=sink.getvalue(), content_type="application/vnd.apache.arrow.stream")


def build_parquet(number: str) -> Answer:
    sink = io.BytesIO()
    parquet.write_table(build_table(number), sink)
    return build_answer(body=sink.getvalue(), content_type="application/vnd.apache.parquet")


def build_table(number: str) -> pa.Table:
    """Return one row with a date beyond Python's range and an amount that JSON cannot represent."""
    date = pa.array([2**62], pa.timestamp("ms", "UTC"))
    return pa.table({"date": date, "amount": [float("nan")], "cardNumber": [number]})


def test_no_request_finds_a_fault(mongod: EmbeddedServer, tmp_path: Path) -> None:
    """Every fuzzed request to an open and to a guarded gateway is answered and logged as promised."""
    with open_targets(mongod, tmp_path) as targets:
        fuzz(targets, Tally(), requests=REQUESTS, start=SEED)
    for target in targets:
        judge_log(target)


@pytest.mark.parametrize(
    ("request_", "answer"),
    {
        "rows": (ASKED, build_answer(body=[ROW])),
        "rows in Arrow": (ASKED, build_arrow(ROW["cardNumber"])),
        "rows in Parquet": (ASKED, build_parquet(ROW["cardNumber"])),
        "problem": (ASKED, build_problem()),
        "errors": (GRAPHQL, build_answer(body={"errors": [ERROR]})),
    }.values(),
)
def test_what_is_right_passes(request_: Request, answer: Answer) -> None:
    """The judge accepts correct responses."""
    JUDGE.judge(request_, answer)


@pytest.mark.parametrize(
    ("request_", "answer"),
    {
        "no answer": (ASKED, None),
        "not HTTP": (ASKED, Answer(400, (("content-length", str(len(NOT_HTTP))),), NOT_HTTP.encode(), 0.1)),
        "failed": (ASKED, build_problem(500, status=500, code="INTERNAL_ERROR", type="/errors/INTERNAL_ERROR")),
        "shed": (ASKED, build_problem(503, status=503, code="OVERLOADED", type="/errors/OVERLOADED")),
        "redirected": (ASKED, build_answer(307)),
        "no id": (ASKED, build_answer(body=[], x_request_id="")),
        "may be cached": (ASKED, build_answer(body=[], cache_control="public")),
        "may be read by pages": (ASKED, build_answer(body=[], access_control_allow_origin="*")),
        "not JSON": (ASKED, build_answer(body="[NaN]")),
        "plain error": (ASKED, build_answer(404, "Not Found", content_type="text/plain")),
        "a member less": (ASKED, build_answer(404, {"code": "NOT_FOUND"}, content_type="application/problem+json")),
        "another status": (ASKED, build_problem(400)),
        "another id": (ASKED, build_problem(request_id="1" * 32)),
        "insides": (ASKED, build_problem(detail="pymongo failed")),
        "whole number": (ASKED, build_answer(body=[{"cardNumber": NUMBER}])),
        "unknown number": (ASKED, build_answer(body=[{"cardNumber": 4111}])),
        "number in CSV": (ASKED, build_answer(body="_id,cardNumber\r\na,41", content_type="text/csv")),
        "number in NDJSON": (ASKED, build_answer(body='{"cardNumber":"41"}\n', content_type="application/x-ndjson")),
        "number in Arrow": (ASKED, build_arrow("4111")),
        "number in Parquet": (ASKED, build_parquet("4111")),
        "broken Arrow": (ASKED, build_answer(body=b"\xff", content_type="application/vnd.apache.arrow.stream")),
        "Arrow told to a stranger": (STRANGER, build_arrow(ROW["cardNumber"])),
        "number elsewhere": (GRAPHQL, build_answer(body={"data": {"a": f"x{NUMBER}"}})),
        "number in an error": (ASKED, build_problem(detail=f"{NUMBER} is wrong")),
        "number in a header": (ASKED, build_answer(body=[], www_authenticate=NUMBER)),
        "told to a stranger": (STRANGER, build_answer(body=[])),
        "error without code": (GRAPHQL, build_answer(body={"errors": [{"message": "x", "extensions": {}}]})),
        "problem in GraphQL": (GRAPHQL, build_problem()),
    }.values(),
)
def test_what_is_wrong_does_not_pass(request_: Request, answer: Answer | None) -> None:
    """The judge finds each fault it is meant to find."""
    with pytest.raises((FaultError, KeyError)):
        JUDGE.judge(request_, answer)


def test_an_answer_that_is_not_as_documented_does_not_pass() -> None:
    """Rows and statuses that contradict the OpenAPI document are faults if all documents are as declared."""
    schema = schemathesis.openapi.from_dict(json.loads(build_openapi()))
    case = schema["/transactions/{days}"]["GET"].Case(path_parameters={"days": 90})
    request = replace(ASKED, case=case)
    JUDGE.judge(request, build_answer(body=[]))
    for answer in (build_answer(body=[ROW]), build_answer(202, body=[])):
        with pytest.raises(FaultError, match="OpenAPI"):
            JUDGE.judge(request, answer)
