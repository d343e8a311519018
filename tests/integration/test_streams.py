"""Unlimited lists: constant memory, queries that end with their client, and a recognisable break on failure."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from pymongo import MongoClient

from database.client import open_sync_client
from database.embedded import EmbeddedServer
from database.index import COLLECTION, INDEXES
from schema.context import read_clock_ms
from tests.conftest import ServedDatabase, serve_database
from tests.operation import find_cursors, find_operations
from tests.process import read_log
from tests.waiting import wait_until

MANY = 1_000_000
MEGABYTE = 1_000_000


def fill(served: ServedDatabase, admin: MongoClient[dict[str, Any]], count: int) -> None:
    """Multiply one document within the database, which is far faster than sending a million, then index."""
    database = admin[served.collection.database.name]
    first = {
        "_id": "id-0",
        "date": read_clock_ms(),
        "currency": "USD",
        "amount": 12.34,
        "vendor": "Vendor",
        "address": "1 Main Street\nSpringfield",
        "cardType": "Visa",
        "cardNumber": "4111111111111111",
        "countryOrigin": "US",
    }
    database["first"].insert_one(first)
    served.collection.drop_indexes()
    database["first"].aggregate(
        [
            {"$set": {"number": {"$range": [0, count]}}},
            {"$unwind": "$number"},
            {"$set": {"_id": {"$concat": ["id-", {"$toString": "$number"}]}}},
            # Oldest first: the worst order for finding the newest without an index.
            {"$set": {"date": {"$subtract": ["$date", {"$multiply": [{"$subtract": [count, "$number"]}, 1_000]}]}}},
            {"$unset": "number"},
            {"$out": COLLECTION},
        ]
    )
    served.collection.create_index(list(INDEXES[0].keys), **INDEXES[0].options)


def count_running_queries(served: ServedDatabase, admin: MongoClient[dict[str, Any]]) -> int:
    """Return the number of client queries running on the served collection."""
    return sum(each.get("op") == "query" for each in find_operations(admin, served.collection.full_name))


def measure_memory(served: ServedDatabase) -> int:
    """Return the resident bytes of the gateway's processes."""
    parent = psutil.Process(served.gateway.process.pid)
    return sum(process.memory_info().rss for process in [parent, *parent.children(recursive=True)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the gateway's log."""
    return tmp_path_factory.mktemp("million")


@pytest.fixture(scope="module")
def million(mongod: EmbeddedServer, folder: Path) -> Iterator[ServedDatabase]:
    """A served database with a million documents."""
    with (
        serve_database(mongod, folder) as served,
        open_sync_client(mongod.admin) as admin,
    ):
        fill(served, admin, MANY)
        yield served
        admin.drop_database(served.collection.database.name)


def test_a_list_of_a_million_rows_is_whole_and_takes_no_memory(million: ServedDatabase) -> None:
    """A million rows arrive, while the server's memory grows by less than 50 MB."""
    httpx.get(f"{million.gateway.url}/transactions/1").raise_for_status()
    before = most = measure_memory(million)
    lines = 0
    with httpx.stream(
        "GET", f"{million.gateway.url}/transactions/365", headers={"Accept": "application/x-ndjson"}, timeout=60
    ) as response:
        for part in response.iter_bytes(MEGABYTE):
            lines += part.count(b"\n")
            most = max(most, measure_memory(million))
    assert lines == MANY
    assert most - before < 50 * MEGABYTE


def test_a_client_that_goes_away_leaves_no_cursor(million: ServedDatabase, admin: MongoClient[dict[str, Any]]) -> None:
    """When the client of a list closes its connection midway, the query ends in the database."""
    address = urlsplit(million.gateway.url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(b"GET /transactions/365 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(1_000).startswith(b"HTTP/1.1 200")
        wait_until(lambda: len(find_cursors(admin, million.collection.full_name)) == 1)
    wait_until(lambda: not find_cursors(admin, million.collection.full_name))


@pytest.fixture
def unsorted(million: ServedDatabase, admin: MongoClient[dict[str, Any]]) -> Iterator[ServedDatabase]:
    """The million documents without their index, so that each list is first sorted for seconds; with profiling on."""
    database = admin[million.collection.database.name]
    million.collection.drop_indexes()
    database.command("profile", 2)
    yield million
    database.command("profile", 0)
    database["system.profile"].drop()
    million.collection.create_index(list(INDEXES[0].keys), **INDEXES[0].options)


# Without an index these queries take seconds, as collation comparisons are slow: time enough for the client to leave.
QUERY = (
    b'{"query": "{ transactions(first: 10000, filter: {cardType: \\"visa\\", country: \\"us\\"}) { nodes { id } } }"}'
)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /transactions/365?card=visa&country=us HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /transactions/365?card=visa&country=us&limit=10000 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
        % (len(QUERY), QUERY),
    ],
    ids=["list", "page", "GraphQL"],
)
def test_a_client_that_goes_away_before_the_first_row_ends_the_query(
    unsorted: ServedDatabase, admin: MongoClient[dict[str, Any]], request_bytes: bytes
) -> None:
    """When the client leaves before the response has begun, the database stops the query."""
    database = admin[unsorted.collection.database.name]
    address = urlsplit(unsorted.gateway.url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(request_bytes)
        wait_until(lambda: count_running_queries(unsorted, admin) == 1)
    wait_until(lambda: count_running_queries(unsorted, admin) == 0)
    [query] = database["system.profile"].find({"op": "query", "ns": f"{database.name}.{COLLECTION}"})
    assert query["errName"] in {"ClientDisconnect", "Interrupted"}


def test_a_list_that_fails_in_the_middle_is_visibly_broken(
    million: ServedDatabase, admin: MongoClient[dict[str, Any]], folder: Path
) -> None:
    """When the database ends a query midway through a list, the body breaks off, and one log line says why."""
    received = b""
    request_id = ""

    def read_and_kill_the_query() -> None:
        nonlocal received, request_id
        with httpx.stream("GET", f"{million.gateway.url}/transactions/365", timeout=60) as response:
            request_id = response.headers["x-request-id"]
            for part in response.iter_bytes(MEGABYTE):
                received += part
                if cursors := find_cursors(admin, million.collection.full_name):
                    admin[million.collection.database.name].command("killCursors", COLLECTION, cursors=cursors)

    with pytest.raises(httpx.RemoteProtocolError):
        read_and_kill_the_query()
    with pytest.raises(json.JSONDecodeError):
        json.loads(received)
    [line] = [line for line in read_log(folder) if line["event"] == "broke off"]
    assert (line["level"], line["request_id"], line["code"]) == ("warning", request_id, "DATABASE_UNAVAILABLE")
    assert line["rows"] >= received.count(b'"_id"')


def test_the_first_rows_come_before_the_last_are_read(million: ServedDatabase) -> None:
    """The first bytes of a million-row list can be read without the rest."""
    with httpx.stream("GET", f"{million.gateway.url}/transactions/365", timeout=60) as response:
        first = next(response.iter_bytes(100))
    assert first.startswith(b'[{"_id":"')
