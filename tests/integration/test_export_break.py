"""Interrupted exports: the client notices, the query ends, and the rest can be requested."""

import io
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import httpx
import pyarrow as pa  # type: ignore[import-untyped]  # pyarrow ships without types
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet
from pymongo import MongoClient

from database.index import COLLECTION
from gateway.export import MEDIA_TYPES
from tests.conftest import ServedDatabase
from tests.export import NOW_MS, WINDOW, ask, asks, documents, fill_many, read_rows, write_rows
from tests.operation import find_cursors
from tests.reference import Document
from tests.waiting import wait_until


@asks
@given(
    found=documents.filter(bool),
    name=st.sampled_from(["ndjson", "csv"]),
    place=st.integers(0, 39),
    later=st.integers(1, 10**9),
)
def test_a_broken_export_is_gone_on_with_after_its_last_row(
    served: ServedDatabase, client: httpx.Client, found: list[Document], name: str, place: int, later: int
) -> None:
    """After any row, its date and id lead to all that follow; rows stored since, after the window, do not appear."""
    served.fill(found)
    whole = read_rows("json", ask(client, "json").content)
    last = whole[place % len(whole)]
    served.collection.insert_one({"_id": "later", "date": NOW_MS + later})
    rest = ask(client, name, after=f"{last['date']},{last['_id']}").content
    assert read_rows(name, rest) == write_rows(name, whole[place % len(whole) + 1 :])


def test_an_object_id_is_gone_on_with_too(served: ServedDatabase, client: httpx.Client) -> None:
    """The text of an ObjectId continues among the ObjectIds of the same date."""
    served.collection.insert_many({"date": NOW_MS - 1} for _ in range(5))
    whole = read_rows("json", ask(client, "json").content)
    rest = ask(client, "json", after=f"{NOW_MS - 1},{whole[1]['_id']}").json()
    assert rest == whole[2:]


@pytest.mark.parametrize("name", MEDIA_TYPES)
def test_an_export_that_fails_in_the_middle_is_visibly_broken(
    served: ServedDatabase, client: httpx.Client, admin: MongoClient[dict[str, Any]], name: str
) -> None:
    """When the database ends the query, the body breaks off, and what was received lacks the format's end."""
    fill_many(served)
    received = b""

    def read_and_kill() -> None:
        nonlocal received
        parameters = {"format": name, "trailer": "true", **WINDOW}
        with client.stream("GET", "/transactions/36500", params=parameters) as response:
            for part in response.iter_raw():
                received += part
                if cursors := find_cursors(admin, served.collection.full_name):
                    admin[served.collection.database.name].command("killCursors", COLLECTION, cursors=cursors)

    with pytest.raises(httpx.RemoteProtocolError):
        read_and_kill()
    assert received
    assert b"complete" not in received
    assert not received.endswith((b"]", b"PAR1" if len(received) > 4 else b"]", b"\xff\xff\xff\xff\0\0\0\0"))
    if name == "parquet":
        with pytest.raises(pa.ArrowInvalid):
            parquet.read_table(io.BytesIO(received))


@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_a_client_that_leaves_an_export_ends_its_query(
    served: ServedDatabase, client: httpx.Client, admin: MongoClient[dict[str, Any]], name: str
) -> None:
    """When the client closes its connection in the middle of an export, no cursor stays open in the database."""
    fill_many(served)
    wait_until(lambda: not find_cursors(admin, served.collection.full_name))
    address = urlsplit(str(client.base_url))
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.sendall(f"GET /transactions/36500?format={name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert connection.recv(10).startswith(b"HTTP/1.1 2")
    wait_until(lambda: not find_cursors(admin, served.collection.full_name))


@contextmanager
def run_breaking_proxy(served: ServedDatabase, limits: list[int]) -> Iterator[str]:
    """Yield the URL of a proxy that cuts successive responses after the given numbers of bytes."""
    address = urlsplit(served.gateway.url)

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            line = self.rfile.readline()
            with socket.create_connection((address.hostname, address.port)) as upstream:
                upstream.sendall(line + b"Host: localhost\r\nConnection: close\r\n\r\n")
                left = limits.pop(0) if limits else 10**12
                while left > 0 and (part := upstream.recv(min(left, 65_536))):
                    left -= len(part)
                    self.wfile.write(part)

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_the_documented_download_is_whole_however_it_breaks(
    served: ServedDatabase, client: httpx.Client, tmp_path: Path
) -> None:
    """The program in docs/export.md gets each row once, although the connection breaks three times."""
    text = (Path(__file__).parents[2] / "docs" / "export.md").read_text()
    [program] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, Any] = {}
    exec(program, names)  # noqa: S102 - our own documentation's code
    served.collection.insert_many({"_id": str(n), "date": NOW_MS - n // 3, "vendor": "x" * 50} for n in range(9_000))
    limits = [200_000, 1_500, 301_234]
    with run_breaking_proxy(served, limits) as url:
        rows = names["download"](f"{url}/transactions/1", str(tmp_path / "rows"))
    assert not limits
    assert rows == 9_000
    assert (tmp_path / "rows").read_bytes() == client.get("/transactions/1?format=ndjson").content
