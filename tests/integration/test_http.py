"""The HTTP protocol layer: request heads are bounded, and HTTP/1.0 clients get what they can read."""

import asyncio
import select
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn
from starlette.responses import Response
from uvicorn.server import ServerState

from gateway import protocol
from gateway.protocol import MAX_HEAD_BYTES, NOT_HTTP, HttpProtocol
from schema.context import read_clock_ms
from tests.conftest import ServedDatabase

pytestmark = pytest.mark.uvloop


@contextmanager
def connect(served: ServedDatabase) -> Iterator[socket.socket]:
    address = urlsplit(served.gateway.url)
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        yield connection


def read_all(connection: socket.socket) -> bytes:
    """Return what arrives until the server closes the connection."""
    return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.fixture
def filled(served: ServedDatabase) -> Iterator[ServedDatabase]:
    """The served database with more rows than fit one batch."""
    served.collection.insert_many([{"_id": f"id-{n}", "date": read_clock_ms(), "amount": 1.0} for n in range(3_000)])
    yield served
    served.collection.delete_many({})


@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
def test_http_1_0_gets_a_list_without_chunks(filled: ServedDatabase, accept: str) -> None:
    """For HTTP/1.0, which has no chunks, the body of a list ends with the connection (RFC 9112, section 6.1)."""
    with connect(filled) as connection:
        connection.sendall(f"GET /transactions/1 HTTP/1.0\r\nAccept: {accept}\r\n\r\n".encode())
        head, _, body = read_all(connection).partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head
    assert b"connection: close" in head
    assert body == httpx.get(f"{filled.gateway.url}/transactions/1", headers={"Accept": accept}).content


@pytest.mark.parametrize(("method", "body"), [("GET", b'{"count":0}'), ("HEAD", b"")])
def test_http_1_0_gets_a_count_with_its_length(served: ServedDatabase, method: str, body: bytes) -> None:
    """A body of known length is sent to HTTP/1.0 as to HTTP/1.1."""
    with connect(served) as connection:
        connection.sendall(f"{method} /transactions/1/card/Nothing HTTP/1.0\r\n\r\n".encode())
        head, _, received = read_all(connection).partition(b"\r\n\r\n")
    assert b"content-length: 11" in head
    assert received == body


@pytest.mark.parametrize("start", [b"GET /", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nLong: "])
def test_a_head_without_an_end_is_refused(served: ServedDatabase, start: bytes) -> None:
    """A head that grows beyond its limit gets 431, and the connection is closed."""
    part, sent = b"x" * 1_000 if start.endswith((b"/", b" ")) else b"Name: value\r\n" * 100, 0
    with connect(served) as connection:
        connection.sendall(start)
        # In small parts, because unread data makes the closing server reset the connection, which can destroy its
        # response.
        while not select.select([connection], [], [], 0.01)[0]:
            connection.sendall(part)
            sent += len(part)
            assert sent < 10 * MAX_HEAD_BYTES
        assert connection.recv(1_000).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("target", ["/transactions/90/card/Vi sa", "/transactions/90/card/Vïsa", "/?a=" + "x" * 65_536])
def test_an_address_that_is_none_is_told_how_to_write_one(served: ServedDatabase, target: str) -> None:
    """A URL with a space, non-ASCII letters or excessive length gets 400 with advice on how to write it."""
    with connect(served) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head, _, body = read_all(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert body.decode() == NOT_HTTP


@pytest.mark.parametrize("hosts", ["", "Host: localhost\r\nHost: localhost\r\n"])
def test_a_request_without_its_one_host_is_refused(served: ServedDatabase, hosts: str) -> None:
    """HTTP/1.1 without Host, or with two, gets a single 400, although a body follows."""
    with connect(served) as connection:
        connection.sendall(f"POST /graphql HTTP/1.1\r\n{hosts}Content-Length: 2\r\n\r\n{{}}".encode())
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(NOT_HTTP.encode())
    assert answer.count(b"HTTP/1.1 ") == 2  # in the status line and in the text


def test_large_bodies_and_many_requests_are_no_large_head(served: ServedDatabase) -> None:
    """Only heads count towards the limit: neither a large body nor many pipelined heads do."""
    with connect(served) as connection:
        body = b'{"query": "{ __typename }"}'.ljust(90_000)
        connection.sendall(b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
        connection.sendall(b"Content-Length: 90000\r\n\r\n" + body)
        assert connection.recv(1_000).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2_000)
        connection.sendall(b"GET /health/live HTTP/1.0\r\n\r\n")
        assert read_all(connection).count(b"HTTP/1.1 200") == 2_001


CHUNKED = b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"


@pytest.mark.parametrize("start", [b"1\r\n{\r\n0\r\nx: ", b"1\r\n{\r\n0\r\n", b"1;"])
def test_what_is_none_of_a_body_has_an_end(served: ServedDatabase, start: bytes) -> None:
    """Endless trailers and chunk extensions end the connection, because the parser keeps them in memory."""
    endless = b"x: y\r\n" * 8_000_000 if start.endswith(b"\n") else b"a" * 50_000_000
    with connect(served) as connection:
        connection.sendall(CHUNKED + b"\r\n" + start)
        with pytest.raises(OSError, match=r"reset|pipe"):
            connection.sendall(endless)


@pytest.mark.parametrize(("place", "status"), [("head", b"200"), ("trailer", b"415")])
def test_a_trailer_is_no_header(served: ServedDatabase, place: str, status: bytes) -> None:
    """A trailer field is not taken for a header, which a proxy may have checked (RFC 9110, section 6.5.1)."""
    body, field = b'{"query":"{__typename}"}', b"Content-Type: application/json\r\n"
    head, trailer = (field, b"") if place == "head" else (b"", field)
    with connect(served) as connection:
        connection.sendall(
            CHUNKED + b"Connection: close\r\n" + head + b"\r\n%x\r\n%b\r\n0\r\n" % (len(body), body) + trailer + b"\r\n"
        )
        assert read_all(connection).startswith(b"HTTP/1.1 " + status)


@asynccontextmanager
async def open_protocol() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect to a server in this process, whose limits can be lowered; it responds to everything with 204."""
    config = uvicorn.Config(Response(status_code=204), log_config=None, ws="none", timeout_keep_alive=1)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: HttpProtocol(config, ServerState(), {}), "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        try:
            yield reader, writer
        finally:
            # The server's closing waits for open connections.
            writer.transport.abort()


@pytest.mark.parametrize("half", [b"G", b"GET / HTTP/1.1\r\nHost: localhost"])
async def test_a_head_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, half: bytes) -> None:
    """A client that starts a request and does not continue is disconnected."""
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.01)
    async with open_protocol() as (reader, writer):
        writer.write(half)
        assert await reader.read() == b""


async def test_an_upgrade_is_answered_without_it(caplog: pytest.LogCaptureFixture) -> None:
    """A WebSocket upgrade on another path is answered in plain HTTP, and nothing is logged."""
    async with open_protocol() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 204")
    assert not caplog.records


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n",
    ],
)
async def test_a_connection_is_not_held_by_what_is_no_request(first: bytes) -> None:
    """Line breaks, or the rest of a body already responded to, do not keep a connection open."""
    async with open_protocol() as (reader, writer):
        writer.write(first)
        async with asyncio.timeout(30):
            while not reader.at_eof():
                writer.write(b"\r\n")
                with suppress(TimeoutError, ConnectionError):
                    await asyncio.wait_for(reader.read(1_000), 0.02)
