"""What a real gateway logs for each request and slow command, and what it never logs."""

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from database.client import open_sync_client
from database.embedded import EmbeddedServer
from database.environment import DatabaseEnvironment
from database.index import COLLECTION
from schema.context import read_clock_ms
from tests.conftest import ServedDatabase, serve_database
from tests.process import GatewayProcess, read_log, run_gateway
from tests.waiting import find_free_port, wait_until
from tests.websocket import build_subscribe, open_socket

PLANTED = "4111111111111111"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the gateway's log."""
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="module")
def logged(mongod: EmbeddedServer, folder: Path) -> Iterator[ServedDatabase]:
    """A served database with 20 transactions."""
    with serve_database(mongod, folder) as served:
        served.collection.insert_many(
            {
                "_id": f"id-{number}",
                "date": read_clock_ms() - number,
                "currency": "USD",
                "amount": 12.34,
                "vendor": "Vendor",
                "address": "1 Main Street\nSpringfield",
                "cardType": "Visa",
                "cardNumber": PLANTED,
                "countryOrigin": "US",
            }
            for number in range(20)
        )
        yield served


def await_line(folder: Path, request_id: str) -> dict[str, Any]:
    """Return a request's log line, which is written after its response."""
    lines: list[dict[str, Any]] = []

    def find() -> bool:
        lines[:] = [line for line in read_log(folder) if line.get("request_id") == request_id and "route" in line]
        return bool(lines)

    wait_until(find, "the request's line")
    [line] = lines
    return line


def test_a_list_is_told_in_one_line(logged: ServedDatabase, folder: Path) -> None:
    """A list has one log line with the caller, the query in safe words, and the cost of the response."""
    answer = httpx.get(f"{logged.gateway.url}/transactions/90/country/us?limit=5")
    line = await_line(folder, answer.headers["x-request-id"])
    duration, database = line.pop("duration_ms"), line.pop("database_ms")
    assert 0 < database < duration
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "event": "answered",
        "request_id": answer.headers["x-request-id"],
        "caller": "anonymous",
        "client": "127.0.0.1",
        "method": "GET",
        "route": "/transactions/{days}/country/{country}",
        "question": {"days": "90", "country": "us", "limit": "5"},
        "status": 200,
        "code": None,
        "rows": 6,
        "bytes": len(answer.content),
    }


def test_an_operation_is_told_by_its_fields(logged: ServedDatabase, folder: Path) -> None:
    """A GraphQL request is logged by operation name and root fields, including those in fragments, and error code."""
    query = (
        "query Q { ...F t: transactions(first: 3) { nodes { id } } } fragment F on Query { transaction(id: 1) { id } }"
    )
    answer = httpx.post(f"{logged.gateway.url}/graphql", json={"query": query})
    line = await_line(folder, answer.headers["x-request-id"])
    assert line["question"] == {"operation": "Q", "fields": ["transaction", "transactions"]}
    assert (line["method"], line["route"], line["code"]) == ("POST", "/graphql", None)
    answer = httpx.post(f"{logged.gateway.url}/graphql", json={"query": "{ nothing }"})
    line = await_line(folder, answer.headers["x-request-id"])
    assert (line["question"], line["code"]) == (None, "GRAPHQL_VALIDATION_FAILED")


async def test_a_websocket_is_told_by_the_bytes_of_its_messages(logged: ServedDatabase, folder: Path) -> None:
    """The log line of a WebSocket counts the bytes of all messages; a non-ASCII letter takes several."""
    trace = TRACE[::-1]
    async with open_socket(logged.gateway.url, {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}) as client:
        await client.send({"type": "connection_init"}, build_subscribe("{ __typename }", "\N{EURO SIGN}"))
        received = [await client.connection.recv(decode=False) for _ in range(3)]
    line = await asyncio.to_thread(await_line, folder, trace)
    assert (line["method"], line["status"]) == ("GET", 101)
    assert line["bytes"] == sum(map(len, received))


def test_an_error_is_told_by_its_code(logged: ServedDatabase, folder: Path) -> None:
    """A failed request is logged with its error code, under the id that the body and the header carry."""
    answer = httpx.get(f"{logged.gateway.url}/transactions/many")
    request_id = answer.headers["x-request-id"]
    assert answer.json()["request_id"] == request_id
    assert await_line(folder, request_id)["code"] == "INVALID_DAYS"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ('subscription { transactionAdded(filter: {country: "Nowhere"}) { id } }', "INVALID_COUNTRY"),
    ],
)
def test_an_error_in_events_is_told_by_its_code(logged: ServedDatabase, folder: Path, query: str, code: str) -> None:
    """A GraphQL error sent as an event has its code in the log and in the metrics."""
    headers = {"Accept": "text/event-stream"}
    answer = httpx.post(f"{logged.gateway.url}/graphql", json={"query": query}, headers=headers)
    assert code in answer.text
    assert await_line(folder, answer.headers["x-request-id"])["code"] == code
    assert f'gateway_errors_total{{code="{code}"}}' in httpx.get(f"{logged.gateway.url}/metrics").text


def test_the_callers_trace_names_the_request(logged: ServedDatabase, folder: Path) -> None:
    """A valid traceparent gives its trace id to the request; an invalid one is ignored."""
    answer = httpx.head(f"{logged.gateway.url}/transactions/90", headers=TRACEPARENT)
    assert answer.headers["x-request-id"] == TRACE
    line = await_line(folder, TRACE)
    assert (line["method"], line["bytes"]) == ("HEAD", 0)
    answer = httpx.get(f"{logged.gateway.url}/transactions/90", headers={"traceparent": f"00-{TRACE}-0-01"})
    assert answer.headers["x-request-id"] != TRACE
    assert len(answer.headers["x-request-id"]) == 32


def test_probes_have_no_lines(logged: ServedDatabase, folder: Path) -> None:
    """Health probes, which arrive every few seconds, are not logged."""
    httpx.get(f"{logged.gateway.url}/health/live").raise_for_status()
    answer = httpx.get(f"{logged.gateway.url}/transactions/0")
    await_line(folder, answer.headers["x-request-id"])
    assert not [line for line in read_log(folder) if "health" in line.get("route", "")]


def test_a_client_that_leaves_is_told(logged: ServedDatabase, folder: Path) -> None:
    """A request whose client disconnects before sending it completely is logged as such, without a status."""
    address = urlsplit(logged.gateway.url)
    lines = (
        "POST /graphql HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        "Content-Length: 100",
        f"traceparent: 00-{'5' * 32}-{'5' * 16}-00",
    )
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n{")
    line = await_line(folder, "5" * 32)
    assert (line["level"], line["event"], line["status"]) == ("info", "the client left", None)


def test_no_card_number_is_told(logged: ServedDatabase, folder: Path) -> None:
    """A card number placed in any part of a request appears in no log line."""
    url = logged.gateway.url
    spaced = "4111 1111 1111 1111"
    for path in (
        f"/{PLANTED}",
        f"/transactions/{PLANTED}",
        f"/transactions/90/card/{spaced}",
        f"/transactions/90/country/{PLANTED}",
        f"/transactions/90?{PLANTED}={PLANTED}",
        f"/transactions/90?after={PLANTED}",
        f"/static/{PLANTED}",
        f"/errors/{PLANTED}",
        "/transactions/90",
    ):
        planted = dict.fromkeys(("traceparent", "x-forwarded-for", "authorization"), PLANTED)
        httpx.get(f"{url}{path}", headers=planted)
    for query in (f"query Q{PLANTED} {{ __typename }}", f'{{ transaction(id: "{PLANTED}") {{ id }} }}', PLANTED):
        httpx.post(f"{url}/graphql", json={"query": query, "operationName": f"Q{PLANTED}"})
    last = httpx.get(f"{url}/transactions/0")
    await_line(folder, last.headers["x-request-id"])
    text = (folder / "gateway.log").read_text()
    assert PLANTED not in text
    assert spaced not in text


@pytest.fixture
def slow(reader_environment: DatabaseEnvironment, tmp_path: Path) -> Iterator[GatewayProcess]:
    """A gateway with the reader's rights that logs every command of a millisecond or more as slow."""
    with run_gateway(reader_environment, find_free_port(), tmp_path, GATEWAY_SLOW_QUERY_MS="1") as gateway:
        yield gateway


def test_a_slow_command_is_told_with_its_plan(
    slow: GatewayProcess, environment: DatabaseEnvironment, tmp_path: Path
) -> None:
    """A slow command is logged with its shape, without values, and its plan: the index used, or COLLSCAN."""
    with open_sync_client(environment) as client:
        collection = client[environment.database][COLLECTION]
        collection.insert_many({"_id": str(n), "date": read_clock_ms(), "countryOrigin": "US"} for n in range(20_000))
        # A page is read in large batches, each of which takes the server some milliseconds.
        first = await_slow_find(tmp_path, f"{slow.url}/transactions/90/country/us?limit=10000")
        collection.drop_indexes()
        scan = await_slow_find(tmp_path, f"{slow.url}/transactions/90?minAmount=1&maxAmount=777")
    assert first["level"] == "warning"
    assert first["collection"] == COLLECTION
    assert first["duration_ms"] >= 1
    assert first["shape"].startswith("{date: {$gte: ?, $lte: ?}, countryOrigin: {$eq: ?}} sort {date: -1")
    assert "IXSCAN" in first["plan"]
    assert scan["plan"].startswith("COLLSCAN > ")
    assert "777" not in json.dumps(scan["shape"])


def await_slow_find(folder: Path, url: str) -> dict[str, Any]:
    """Repeat a request until a find took a millisecond, and return its log line, which waits for the plan."""
    asked: set[str] = set()
    lines: list[dict[str, Any]] = []

    def find() -> bool:
        asked.add(httpx.get(url).raise_for_status().headers["x-request-id"])
        told = [line for line in read_log(folder) if line["event"] == "slow query"]
        lines[:] = [line for line in told if line["command"] == "find" and line.get("request_id") in asked]
        return bool(lines)

    wait_until(find, "the line of a slow command")
    return lines[0]


def test_a_line_of_text_is_for_a_person(reader_environment: DatabaseEnvironment, tmp_path: Path) -> None:
    """In text format a request is one line of words and numbers, including the status of an error."""
    with run_gateway(reader_environment, find_free_port(), tmp_path, GATEWAY_LOG_FORMAT="text") as gateway:
        for path in ("/transactions/x", "/graphql?query={__typename}"):
            httpx.get(gateway.url + path)
        told = tmp_path / "gateway.log"
        wait_until(lambda: told.read_text().count("answered") == 2, "both lines")
    lines = [line for line in told.read_text().splitlines() if "answered" in line]
    assert "route=/transactions/{days} question={'days': 'x'} status=400 code=INVALID_DAYS" in lines[0]
    assert "route=/graphql" in lines[1]
    assert "status=200 " in lines[1]
