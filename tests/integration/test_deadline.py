"""What takes too long is ended: slow request bodies, responses that do not begin, clients that do not read."""

import asyncio
import select
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from pymongo import MongoClient

from database.environment import DatabaseEnvironment
from database.index import CASE_INSENSITIVE, COLLECTION, INDEXES
from schema.context import read_clock_ms
from tests.operation import find_operations
from tests.process import GatewayProcess, run_gateway
from tests.relay import Relay, run_relay
from tests.waiting import DEADLINE_SECONDS, find_free_port, wait_until

ROWS = 200_000
LIST = "/transactions/365"
# Longer than any part of a list takes on a busy machine.
LONG_SECONDS = 2
BODY = b'{"query": "{ __typename }"}'
POST = b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.fixture
def gateway(
    request: pytest.FixtureRequest, reader_environment: DatabaseEnvironment, tmp_path: Path
) -> Iterator[GatewayProcess]:
    """A gateway whose request timeout is the test's parameter, or 500 ms."""
    # Without rollups, every operation and cursor on the server belongs to a client's query.
    variables = {
        "GATEWAY_COUNT_ROLLUPS": "off",
        "GATEWAY_REQUEST_TIMEOUT_MS": str(getattr(request, "param", 500)),
        # Long enough that no test reaches the database's own time limit.
        "GATEWAY_DATABASE_TIMEOUT_MS": str(2_000 * DEADLINE_SECONDS),
    }
    with run_gateway(reader_environment, find_free_port(), tmp_path, **variables) as gateway:
        yield gateway


@pytest.fixture
def many(environment: DatabaseEnvironment, admin: MongoClient[dict[str, Any]]) -> str:
    """Far more rows than sockets buffer; returns their namespace."""
    row = {
        "currency": "USD",
        "amount": 12.34,
        "vendor": "Vendor",
        "address": "1 Main Street\nSpringfield",
        "cardType": "Visa",
        "cardNumber": "4111111111111111",
        "countryOrigin": "US",
    }
    database = admin[environment.database]
    database["first"].insert_one({**row, "date": read_clock_ms()})
    # Multiplied within the server, which is far faster than sending the rows.
    database["first"].aggregate(
        [
            {"$set": {"number": {"$range": [0, ROWS]}}},
            {"$unwind": "$number"},
            {"$set": {"_id": {"$toString": "$number"}, "date": {"$subtract": ["$date", "$number"]}}},
            {"$unset": "number"},
            {"$out": COLLECTION},
        ]
    )
    database[COLLECTION].create_index(list(INDEXES[0].keys), **INDEXES[0].options)
    return f"{environment.database}.{COLLECTION}"


def connect(gateway: GatewayProcess) -> socket.socket:
    address = urlsplit(gateway.url)
    return socket.create_connection((str(address.hostname), address.port or 80), timeout=60)


def read_all(connection: socket.socket) -> bytes:
    """Return what arrives until the other end closes or resets the connection."""
    parts = []
    with suppress(ConnectionResetError):
        while part := connection.recv(1_000_000):
            parts.append(part)
    return b"".join(parts)


def receive(connection: socket.socket, end: bytes) -> bytes:
    """Return what arrives up to an expected end; asserts that it arrives."""
    received = b""
    while not received.endswith(end):
        part = connection.recv(1_000_000)
        assert part, received[-1_000:]
        received += part
    return received


@pytest.mark.parametrize(
    "start",
    [
        b"Content-Length: 100000\r\n\r\n",
        b"Content-Length: 100000\r\n\r\n" + BODY,
        b"Transfer-Encoding: chunked\r\n\r\n1B\r\n" + BODY + b"\r\n",
        b"Content-Length: 27\r\nExpect: 100-continue\r\n\r\n",
    ],
    ids=["empty", "short", "chunked", "expect"],
)
def test_a_body_that_does_not_arrive_is_refused(gateway: GatewayProcess, start: bytes) -> None:
    """A body that is not complete in time gets 408 BODY_TIMEOUT, and the connection is closed."""
    with connect(gateway) as connection:
        connection.sendall(POST + start)
        answer = read_all(connection).removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"\r\nconnection: close\r\n" in answer
    assert b'"BODY_TIMEOUT"' in answer


def test_a_body_that_trickles_is_refused(gateway: GatewayProcess) -> None:
    """A body that arrives byte by byte does not extend the timeout."""
    with connect(gateway) as connection:
        connection.sendall(POST + b"Content-Length: 100000\r\n\r\n")
        while not select.select([connection], [], [], 0.02)[0]:
            connection.sendall(b" ")
        assert connection.recv(1_000).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("gateway", [1_000 * DEADLINE_SECONDS], indirect=True)
def test_bodies_that_arrive_are_read(gateway: GatewayProcess) -> None:
    """Bodies announced with Expect, or sent with GET, are read to their end; a body beyond its length is refused."""
    length = b"Content-Length: %d\r\n" % len(BODY)
    with connect(gateway) as connection:
        connection.sendall(POST + length + b"Expect: 100-continue\r\n\r\n")
        receive(connection, b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.sendall(BODY)
        assert receive(connection, b'"Query"}}').startswith(b"HTTP/1.1 200 ")
        connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n" + length + b"\r\n" + BODY)
        assert receive(connection, b'"live"}').startswith(b"HTTP/1.1 200 ")
        connection.sendall(POST + length + b"\r\n" + BODY + b"and more\r\n\r\n")
        # The surplus is not a valid request, so the connection is closed.
        assert b"HTTP/1.1 400 " in read_all(connection)


@pytest.mark.parametrize("gateway", [100], indirect=True)
def test_an_answer_that_does_not_begin_ends_its_query(
    gateway: GatewayProcess, many: str, admin: MongoClient[dict[str, Any]]
) -> None:
    """A query whose response has not begun in time gets 504 REQUEST_TIMEOUT and is stopped in the database."""
    database = admin[many.partition(".")[0]]
    database[COLLECTION].rename("rows")
    # Each row takes a second, so the query takes days on any machine.
    sleep = {"$function": {"body": "function() { sleep(1000); return true; }", "args": [], "lang": "js"}}
    pipeline = [{"$match": {"$expr": sleep}}]
    database.create_collection(COLLECTION, viewOn="rows", pipeline=pipeline, collation=CASE_INSENSITIVE)
    answer = httpx.get(f"{gateway.url}{LIST}/card/visa", timeout=60)
    assert answer.status_code == 504
    assert answer.json()["code"] == "REQUEST_TIMEOUT"
    wait_until(lambda: not find_operations(admin, f"{database.name}.rows"))


@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
def test_a_client_that_does_not_read_holds_nothing(
    gateway: GatewayProcess, many: str, admin: MongoClient[dict[str, Any]], version: bytes
) -> None:
    """A list whose client stops reading loses its cursor, and the part sent is recognisably incomplete."""
    with connect(gateway) as connection:
        connection.sendall(b"GET %s HTTP/%s\r\nHost: localhost\r\n\r\n" % (LIST.encode(), version))
        assert connection.recv(12) == b"HTTP/1.1 200"
        wait_until(lambda: not find_operations(admin, many))
        wait_until(lambda: not find_connections(gateway, connection))
        with pytest.raises(ConnectionResetError):
            receive(connection, b"]")


def find_connections(gateway: GatewayProcess, connection: socket.socket) -> list[object]:
    """Return the gateway's side of a connection, if it is still open."""
    port = connection.getsockname()[1]
    workers = psutil.Process(gateway.process.pid).children(recursive=True)
    return [each for worker in workers for each in worker.net_connections() if each.raddr[1:] == (port,)]


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux closes such connections")
def test_a_whole_answer_that_is_not_read_is_dropped(gateway: GatewayProcess, many: str) -> None:
    """A connection whose client reads nothing of a complete response is closed, which frees its memory."""
    assert many
    with connect(gateway) as connection:
        connection.sendall(b"GET %s?limit=10000 HTTP/1.1\r\nHost: localhost\r\n\r\n" % LIST.encode() * 4)
        assert connection.recv(12) == b"HTTP/1.1 200"
        wait_until(lambda: not find_connections(gateway, connection))


@pytest.mark.parametrize("gateway", [1_000 * LONG_SECONDS], indirect=True)
def test_a_long_answer_has_time_while_it_moves(gateway: GatewayProcess, many: str) -> None:
    """A list that takes longer than the timeout arrives whole if each part is sent within it."""
    assert many
    lines, begun = 0, time.monotonic()

    def is_due() -> bool:
        """Hold the list back: its client reads it evenly over twice the timeout."""
        return time.monotonic() - begun >= 2 * LONG_SECONDS * lines / ROWS

    with httpx.stream("GET", f"{gateway.url}{LIST}", headers={"Accept": "application/x-ndjson"}, timeout=60) as answer:
        for part in answer.iter_bytes(1_000_000):
            lines += part.count(b"\n")
            wait_until(is_due, "the time of the next part")
    assert lines == ROWS


async def test_nobody_waits_for_the_end_of_a_list(
    reader_environment: DatabaseEnvironment, many: str, tmp_path: Path
) -> None:
    """While a list waits for the database, a page is served, even with a concurrency limit of 1."""
    assert many
    variables = {
        "GATEWAY_COUNT_ROLLUPS": "off",
        "GATEWAY_MAX_CONCURRENT": "1",
        # The list would wait twice as long as the page may take.
        "GATEWAY_REQUEST_TIMEOUT_MS": str(2_000 * DEADLINE_SECONDS),
    }

    def ask(relay: Relay, environment: DatabaseEnvironment) -> None:
        with run_gateway(environment, find_free_port(), tmp_path, **variables) as gateway:
            relay.lose(b"getMore")
            with httpx.stream("GET", f"{gateway.url}{LIST}", timeout=60):
                wait_until(relay.lost.is_set)
                assert httpx.get(f"{gateway.url}{LIST}?limit=1", timeout=DEADLINE_SECONDS).is_success

    async with run_relay(reader_environment) as (relay, environment):
        # In another thread, as the relay, which carries the gateway's traffic, runs on this event loop.
        await asyncio.to_thread(ask, relay, environment)
