"""In an overload a query gets 503 before it reaches the application, in the shape of its API style."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi.responses import Response
from uvicorn.server import ServerState

from gateway.admission import Admission
from gateway.origin import HEADERS
from gateway.protocol import HttpProtocol
from gateway.refusal import Refusal
from tests.waiting import DEADLINE_SECONDS

pytestmark = pytest.mark.uvloop

MOST = 1


@pytest.fixture
async def overloaded() -> Admission:
    """An admission that works on one query and has refused others, for as long as a test takes."""
    admission = Admission(MOST, clock=lambda: 0.0)
    tasks = [asyncio.create_task(admission.enter()) for _ in range(16)]
    await asyncio.gather(*tasks, return_exceptions=True)
    assert admission.is_overloaded
    return admission


@asynccontextmanager
async def listen(admission: Admission) -> AsyncIterator[tuple[str, int]]:
    """Yield the address of a server in this process whose application responds with 204 to everything."""
    config = uvicorn.Config(Response(status_code=204), log_config=None, ws="none")
    build: Any = partial(HttpProtocol, config, ServerState(), {}, refuse=Refusal(admission))
    server = await asyncio.get_running_loop().create_server(build, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()


@asynccontextmanager
async def serve(admission: Admission) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of such a server."""
    async with listen(admission) as (host, port), httpx.AsyncClient(base_url=f"http://{host}:{port}") as client:
        yield client


@asynccontextmanager
async def open_connection(admission: Admission) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Yield a bare connection to such a server."""
    async with listen(admission) as (host, port):
        reader, writer = await asyncio.open_connection(host, port)
        try:
            yield reader, writer
        finally:
            # The server's closing waits for open connections.
            writer.transport.abort()


async def test_a_refusal_is_a_problem(overloaded: Admission) -> None:
    """A query gets OVERLOADED, Retry-After, a request id and the strict headers, every time."""
    async with serve(overloaded) as client:
        answers = [await client.get("/transactions/90?limit=1") for _ in range(3)]
    for answer in answers:
        problem = answer.json()
        assert (answer.status_code, problem["code"], problem["status"]) == (503, "OVERLOADED", 503)
        assert (answer.headers["retry-after"], answer.headers["content-type"]) == ("5", "application/problem+json")
        assert answer.headers["x-request-id"] == problem["request_id"]
        assert {(name, answer.headers.get_list(name.decode())[0].encode()) for name, _ in HEADERS} == set(HEADERS)
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3


async def test_a_refusal_of_graphql_is_an_error(overloaded: Admission) -> None:
    """A GraphQL request is refused in its own shape, its body is dropped, and its trace id is kept."""
    traceparent = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"}
    async with serve(overloaded) as client:
        answer = await client.post("/graphql", json={"query": "{ __typename }"}, headers=traceparent)
        head = await client.head("/transactions/90")
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {"code": "OVERLOADED", "request_id": "ab" * 16}
    assert (head.status_code, head.content) == (503, b"")
    assert json.loads(answer.content)


async def test_requests_that_come_together_are_all_refused(overloaded: Admission) -> None:
    """Every pipelined request gets a response, however many are sent."""
    count = 3_000
    async with open_connection(overloaded) as (reader, writer):
        writer.write(b"GET /transactions/90 HTTP/1.1\r\nHost: localhost\r\n\r\n" * count)
        async with asyncio.timeout(DEADLINE_SECONDS):
            for _ in range(count):
                await reader.readuntil(b"HTTP/1.1 503")


async def test_who_takes_no_answers_is_hung_up_on(overloaded: Admission) -> None:
    """A client that keeps sending and reads nothing is disconnected before the gateway runs out of memory."""
    async with open_connection(overloaded) as (_, writer):
        async with asyncio.timeout(DEADLINE_SECONDS):
            with pytest.raises(ConnectionError):
                await ask_without_end(writer)


async def ask_without_end(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"GET /transactions/90 HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100)
        await writer.drain()


async def test_what_asks_the_database_nothing_is_answered(overloaded: Admission) -> None:
    """Probes, static files and requests with an Origin header are left to the application."""
    async with serve(overloaded) as client:
        for path, headers in (
            ("/health/ready", {}),
            ("/static/app.js", {}),
            ("/transactions/90", {"Origin": "https://app.example"}),
        ):
            assert (await client.get(path, headers=headers)).status_code == 204


async def test_without_an_overload_nothing_is_refused() -> None:
    """A worker at its concurrency limit, but not overloaded, lets further queries wait."""
    admission = Admission(MOST)
    await admission.enter()
    async with serve(admission) as client:
        assert (await client.get("/transactions/90")).status_code == 204
