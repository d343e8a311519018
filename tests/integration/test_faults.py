"""A database that hangs, is slow, runs out of connections or disk, or dies: clear errors meanwhile, recovery after."""

import asyncio
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pymongo import AsyncMongoClient

from benchmarks.failover import build_documents, fill
from database.client import open_client
from database.errors import DatabaseTimeoutError, DatabaseUnavailableError
from database.index import COLLECTION
from database.query import Page, TransactionFilter, build_count_plan, build_find_plan
from database.repository import TransactionRepository
from gateway.health import DatabaseProbe
from tests.process import GatewayProcess, read_log, run_gateway
from tests.recorder import CommandRecorder
from tests.replica import Member, ReplicaSet, run_replica_set
from tests.waiting import find_free_port, wait_until

GATEWAY = Path(sys.executable).with_name("gateway")
SIZE = 12_000
DAY_MS = 86_400_000
# Together far more than the gateway reads ahead and the sockets between server and client buffer.
ADDRESS = "1 Main Street\n" * 200
PATIENCE_SECONDS = 40
QUERY = {"query": "{ transactions(filter: {days: 90}, first: 3000) { nodes { id } } }"}
PATHS = ("/transactions/90", "/transactions/90?limit=3000", "/transactions/90/card/Visa")


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplicaSet]:
    """A filled replica set of one member; each test leaves it running."""
    with run_replica_set(tmp_path_factory.mktemp("alone"), members=1) as replicas:
        documents = build_documents(SIZE, until=time.time_ns() // 1_000_000 - DAY_MS, address=ADDRESS)
        fill(replicas, documents)
        yield replicas


@pytest.fixture(scope="module")
def gateway(alone: ReplicaSet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway of two workers that is never restarted, whatever happens to its database."""
    folder = tmp_path_factory.mktemp("gateway")
    # A list retries several times to reach a lost server before it gives up. Rollups are off so that the server counts.
    impatient = replace(alone.admin, uri=f"{alone.admin.connection_uri}&serverSelectionTimeoutMS=500")
    with run_gateway(
        impatient, find_free_port(), folder, 2, GATEWAY_DATABASE_TIMEOUT_MS="2000", GATEWAY_COUNT_ROLLUPS="off"
    ) as process:
        yield process


@pytest.fixture
def member(alone: ReplicaSet) -> Member:
    return alone.members[0]


@contextmanager
def failing(replicas: ReplicaSet, mode: object, **data: object) -> Iterator[None]:
    """Make the server fail commands through its failpoint `failCommand` until the block ends."""
    data["appName"] = "transactions-gateway"
    replicas.client.admin.command("configureFailPoint", "failCommand", mode=mode, data=data)
    try:
        yield
    finally:
        replicas.client.admin.command("configureFailPoint", "failCommand", mode="off")


def ask_all(gateway: GatewayProcess, times: int = 1) -> list[httpx.Response]:
    """Return the responses to `times` lists, pages, counts and GraphQL pages, all requested at once."""

    def ask(path: str) -> httpx.Response:
        if path == "/graphql":
            return httpx.post(f"{gateway.url}{path}", json=QUERY, timeout=PATIENCE_SECONDS)
        return httpx.get(f"{gateway.url}{path}", timeout=PATIENCE_SECONDS)

    paths = [*PATHS, "/graphql"] * times
    with ThreadPoolExecutor(len(paths)) as pool:
        return list(pool.map(ask, paths))


def read_code(answer: httpx.Response) -> str:
    body = answer.json()
    return str(body["code"] if "code" in body else body["errors"][0]["extensions"]["code"])


def is_ready(gateway: GatewayProcess) -> bool:
    return httpx.get(f"{gateway.url}/health/ready", timeout=PATIENCE_SECONDS).is_success


def is_well(gateway: GatewayProcess) -> bool:
    """Whether all requests succeed; a worker that has not yet reconnected to its database responds with 503."""
    return all(answer.is_success for answer in ask_all(gateway, 2))


def test_a_hung_server_holds_nobody(gateway: GatewayProcess, member: Member) -> None:
    """While the server hangs, requests end in 503 or 504 and readiness fails; both recover by themselves afterwards."""
    assert is_well(gateway)
    member.stop()
    try:
        answers = ask_all(gateway, 10)
        assert {answer.status_code for answer in answers} <= {503, 504}
        assert {read_code(answer) for answer in answers} <= {"DATABASE_UNAVAILABLE", "DATABASE_TIMEOUT", "OVERLOADED"}
        assert not is_ready(gateway)
        assert httpx.get(f"{gateway.url}/health/live").is_success
    finally:
        member.resume()
    wait_until(lambda: is_well(gateway) and is_ready(gateway), "the recovery")


def read_warnings(folder: Path) -> list[str]:
    return [line["event"] for line in read_log(folder) if line["level"] == "warning"]


def test_an_outage_is_logged_where_it_begins_and_ends(alone: ReplicaSet, member: Member, tmp_path: Path) -> None:
    """A worker warns once when the database is lost and once when it is back, and not when it stops."""
    with run_gateway(alone.admin, find_free_port(), tmp_path, 1) as process:
        member.kill()
        wait_until(lambda: read_warnings(tmp_path), "the first line")
        assert not is_ready(process)
        member.start()
        wait_until(lambda: is_ready(process), "the recovery")
    assert read_warnings(tmp_path) == ["the database is away", "the database is back"]


def test_a_slow_server_is_a_timeout(alone: ReplicaSet, gateway: GatewayProcess) -> None:
    """When the server exceeds its time limit, pages and counts get DATABASE_TIMEOUT."""
    with failing(alone, "alwaysOn", failCommands=["find", "aggregate"], blockConnection=True, blockTimeMS=3_000):
        answers = [answer for answer in ask_all(gateway) if answer.url.path != "/transactions/90" or answer.url.query]
    assert [answer.status_code for answer in answers] == [504, 504, 504]
    assert {read_code(answer) for answer in answers} == {"DATABASE_TIMEOUT"}


async def test_a_server_that_never_answers_is_given_up(alone: ReplicaSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the server does not enforce the time limit itself, the repository stops waiting."""
    monkeypatch.setattr("database.repository._GRACE_SECONDS", 0.1)
    async with open_client(alone.admin) as client:
        repository = TransactionRepository(client, alone.admin.database, timeout_ms=100)
        await repository.check()
        alone.members[0].stop()
        try:
            with pytest.raises(DatabaseTimeoutError):
                await repository.find_rows(build_find_plan(TransactionFilter(), page=Page(1)))
            with pytest.raises(DatabaseTimeoutError):
                await repository.count(build_count_plan(TransactionFilter()))
        finally:
            alone.members[0].resume()
        # On a busy machine the new connection alone may take longer than 100 ms.
        patient = TransactionRepository(client, alone.admin.database, timeout_ms=10_000)
        assert await patient.find_rows(build_find_plan(TransactionFilter(), page=Page(1)))


def test_more_questions_than_connections_are_turned_away(alone: ReplicaSet, tmp_path: Path) -> None:
    """With two connections allowed by the URI and both busy, further queries get OVERLOADED instead of waiting."""
    environment = replace(alone.admin, uri=f"{alone.admin.connection_uri}&maxPoolSize=2")
    variables = {"GATEWAY_DATABASE_TIMEOUT_MS": "20000", "GATEWAY_COUNT_ROLLUPS": "off"}
    with (
        run_gateway(environment, find_free_port(), tmp_path, **variables) as gateway,
        failing(alone, "alwaysOn", failCommands=["find", "aggregate"], blockConnection=True, blockTimeMS=6_000),
    ):
        answers = ask_all(gateway, 2)
    turned_away = [answer for answer in answers if not answer.is_success]
    # Two rounds of two succeed, and one more: the two lists share one query.
    assert len(turned_away) >= len(answers) - 5
    assert {read_code(answer) for answer in turned_away} == {"OVERLOADED"}
    assert all(answer.headers["retry-after"] == "5" for answer in turned_away)


def test_a_page_is_never_short(alone: ReplicaSet, gateway: GatewayProcess) -> None:
    """When the connection is lost between two batches of a page, the response is a 503 without data."""
    for path in ("/transactions/90?limit=3000", "/graphql"):
        with failing(alone, {"times": 1}, failCommands=["getMore"], closeConnection=True):
            url = f"{gateway.url}{path}"
            answer = httpx.post(url, json=QUERY) if path == "/graphql" else httpx.get(url)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
        assert read_code(answer) == "DATABASE_UNAVAILABLE"
        assert not answer.json().get("data")


def open_list(gateway: GatewayProcess, version: str, media_type: str) -> socket.socket:
    """Return a connection on which a list has begun to arrive and is not read further."""
    address = urlsplit(gateway.url)
    connection = socket.create_connection((address.hostname, address.port), timeout=PATIENCE_SECONDS)
    head = f"GET /transactions/90 HTTP/{version}\r\nHost: localhost\r\nAccept: {media_type}\r\n\r\n"
    connection.sendall(head.encode())
    assert connection.recv(20).startswith(b"HTTP/1.1 200")
    return connection


def read_to_end(connection: socket.socket) -> bytes:
    """Return the rest of a response; raises ConnectionResetError if the connection breaks."""
    with connection:
        return b"".join(iter(lambda: connection.recv(1_000_000), b""))


def test_a_list_without_a_server_is_visibly_broken(gateway: GatewayProcess, member: Member) -> None:
    """When the server dies, no list looks complete in any format: no last chunk in HTTP/1.1, a reset in HTTP/1.0."""
    media_types = ("application/json", "application/x-ndjson", "text/csv")
    lists = [(version, open_list(gateway, version, kind)) for version in ("1.1", "1.0") for kind in media_types]
    member.kill()
    try:
        with ThreadPoolExecutor(len(lists)) as pool:
            ends = [(version, pool.submit(read_to_end, connection)) for version, connection in lists]
        for version, end in ends:
            if version == "1.0":
                assert isinstance(end.exception(), ConnectionResetError), len(end.result())
            else:
                assert end.exception() or not end.result().endswith(b"0\r\n\r\n")
    finally:
        member.start()
    wait_until(lambda: is_well(gateway), "the recovery")


def read_failed(gateway: GatewayProcess, route: str) -> float:
    """Return how many requests of a route have failed, according to the metrics."""
    text = httpx.get(f"{gateway.url}/metrics", timeout=PATIENCE_SECONDS).raise_for_status().text
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    failed = (
        each for each in samples if each.name == "gateway_requests_failed_total" and each.labels["route"] == route
    )
    return sum(sample.value for sample in failed)


def test_what_fails_is_counted_whatever_its_status(alone: ReplicaSet, gateway: GatewayProcess) -> None:
    """A GraphQL response with errors and status 200, and an interrupted list, count as failed."""
    routes = ("/graphql", "/transactions/{days}")
    before = {route: read_failed(gateway, route) for route in routes}
    connection = open_list(gateway, "1.1", "text/csv")
    with failing(alone, "alwaysOn", failCommands=["find", "getMore"], closeConnection=True):
        answer = httpx.post(f"{gateway.url}/graphql", json={"query": '{ transaction(id: "a") { id } }'})
        with suppress(ConnectionResetError):
            read_to_end(connection)
    assert answer.status_code == 200
    assert read_code(answer) == "DATABASE_UNAVAILABLE"
    assert not httpx.get(f"{gateway.url}/transactions/x").is_success
    wait_until(lambda: all(read_failed(gateway, route) == before[route] + 1 for route in routes), "both to be counted")


def test_a_killed_worker_leaves_no_short_list(gateway: GatewayProcess) -> None:
    """After kill -9 of a worker its list is recognisably broken, and the others keep responding."""
    connection = open_list(gateway, "1.1", "text/csv")
    port = connection.getsockname()[1]
    for worker in psutil.Process(gateway.process.pid).children(recursive=True):
        if any(each.raddr[1:] == (port,) for each in worker.net_connections()):
            worker.kill()
    assert httpx.get(f"{gateway.url}/transactions/90/card/Visa").is_success
    try:
        body = read_to_end(connection)
    except ConnectionResetError:
        body = b""
    assert not body.endswith(b"0\r\n\r\n")


def test_a_full_disk_is_no_end(alone: ReplicaSet, gateway: GatewayProcess, member: Member, tmp_path: Path) -> None:
    """A full disk on the server ends seeding with one message and queries with 503; with space again, all works."""
    full = replace(alone.admin, uri=alone.admin.connection_uri.replace("/trial?", "/full?"))
    command = [str(GATEWAY), "seed", "5000", "--seed", "7", "--until", "2026-01-01", "--workers", "1"]
    environ = {**os.environ, "MONGO_URI": full.connection_uri}
    # Without space MongoDB ends itself, as it does here, where no file may grow beyond a megabyte.
    psutil.Process(member.process.pid).rlimit(psutil.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
    try:
        ended = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
        assert ended.returncode == 1
        assert "Traceback" not in ended.stderr
        assert "gateway: " in ended.stderr
        answers = ask_all(gateway)
        assert {answer.status_code for answer in answers} == {503}
        assert {answer.headers["retry-after"] for answer in answers} == {"5"}
        member.process.wait(PATIENCE_SECONDS)
    finally:
        member.kill()
        member.start()
    wait_until(lambda: is_well(gateway), "the recovery")
    subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, check=True)
    assert alone.client["full"][COLLECTION].count_documents({}) == 5_000


async def test_probes_cost_the_database_one_question(alone: ReplicaSet) -> None:
    """A hundred concurrent probes send one command, and a later one detects that the database is lost."""
    recorder = CommandRecorder()
    options: dict[str, Any] = {"event_listeners": [recorder], "serverSelectionTimeoutMS": 500}
    async with AsyncMongoClient[dict[str, Any]](alone.admin.connection_uri, **options) as client:
        probe = DatabaseProbe(TransactionRepository(client, alone.admin.database, timeout_ms=1_000).check)
        assert await asyncio.gather(*(probe.find_fault() for _ in range(100))) == [None] * 100
        assert recorder.names == ["find"]
        alone.members[0].stop()
        try:
            while (fault := await probe.find_fault()) is None:
                pass
            assert isinstance(fault, DatabaseUnavailableError | DatabaseTimeoutError)
        finally:
            alone.members[0].resume()
        while await probe.find_fault() is not None:
            pass
