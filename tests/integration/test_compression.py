"""Compressed responses decode to the plain ones for every path, format and Accept-Encoding, and are streamed."""

import secrets
import time
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import brotli  # type: ignore[import-untyped]  # brotli ships without types
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zstandard import ZstdDecompressor

from database.embedded import EmbeddedServer
from gateway.compression import MINIMUM_BYTES
from seeding.seeder import seed
from tests.conftest import ServedDatabase, serve_database
from tests.process import run_gateway
from tests.replica import run_replica_set
from tests.waiting import find_free_port

DAY_MS = 86_400_000
# More than a batch, so that lists come in several parts.
SIZE = 6_000
STATIC = Path(__file__).parents[2] / "gateway" / "static" / "graphiql" / "assets"
QUERY = "{ transactions(first: %d) { totalCount nodes { id date vendor address } } }"
FORMATS = ("application/json", "application/x-ndjson", "text/csv")
# Makes responses repeatable: no document is at the edge of 36,500 days, and the trace id, which errors show, is fixed.
HEADERS = {"traceparent": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"}

lists = st.builds(
    "/transactions/36500{}".format,
    st.sampled_from(["", "/country/US", "/country/XX", "/amount/10/500", "/amount/10/10.5"])
    | st.integers(1, 3_000).map("?limit={}".format),
)
pages = st.sampled_from(
    ["/transactions/36500/card/Visa", "/transactions/x", "/errors/OVERLOADED", "/openapi.json", "/a"]
)
files = st.sampled_from([f"/static/graphiql/assets/{path.name}" for path in STATIC.iterdir() if path.suffix != ".br"])
requests = st.tuples(lists | pages | files, st.sampled_from(FORMATS), st.none()) | st.tuples(
    st.just("/graphql"), st.just("application/json"), st.integers(1, 3_000).map(lambda rows: {"query": QUERY % rows})
)
codings = st.sampled_from(["gzip", "zstd", "br", "identity", "*", "GZIP"])
qualities = st.sampled_from(["", ";q=0", ";q=1", "; q=0.5", ";q=0.8", ";q=nonsense"])
encodings = st.lists(st.tuples(codings, qualities), max_size=4, unique_by=lambda pair: pair[0].lower()).map(
    lambda pairs: ", ".join(coding + quality for coding, quality in pairs)
)


class Reader(Protocol):
    """The decompressor interface that zlib and zstandard share."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


@pytest.fixture(scope="module")
def filled(mongod: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDatabase]:
    with serve_database(mongod, tmp_path_factory.mktemp("gateway"), GATEWAY_LOG_LEVEL="error") as served:
        seed(served.owner, SIZE, seed=1)
        yield served


def ask(
    served: ServedDatabase,
    path: str,
    accept_encoding: str | None,
    *,
    accept: str = "*/*",
    query: dict[str, str] | None = None,
    method: str = "GET",
) -> tuple[httpx.Response, bytes]:
    """Return a response and its raw body; a query is sent by POST."""
    headers = {"Accept": accept, **HEADERS} | ({} if accept_encoding is None else {"Accept-Encoding": accept_encoding})
    request = httpx.Request("POST" if query else method, served.gateway.url + path, headers=headers, json=query)
    with httpx.Client(timeout=60) as client:
        answer = client.send(request, stream=True)
        return answer, b"".join(answer.iter_raw())


def open_reader(coding: str) -> Reader:
    """Return a decompressor that reads one body part by part."""
    return zlib.decompressobj(zlib.MAX_WBITS + 16) if coding == "gzip" else ZstdDecompressor().decompressobj()


def decode(body: bytes, coding: str) -> bytes:
    """Return the decoded body; asserts that it is complete and nothing follows it."""
    if coding == "br":
        return bytes(brotli.decompress(body))
    reader = open_reader(coding)
    plain = reader.decompress(body)
    assert reader.eof
    assert not reader.unused_data
    return plain


def list_vary(answer: httpx.Response) -> set[str]:
    return {name.strip().lower() for line in answer.headers.get_list("vary") for name in line.split(",")}


def pick_lasting(answer: httpx.Response, *changed: str) -> dict[str, str]:
    """Return a response's headers except those that may differ."""
    return {name: value for name, value in answer.headers.items() if name not in {"date", *changed}}


@settings(max_examples=80, deadline=None)
@given(request=requests, accept_encoding=encodings)
def test_a_compressed_answer_is_the_plain_one(
    filled: ServedDatabase, request: tuple[str, str, dict[str, str] | None], accept_encoding: str
) -> None:
    """For any request and Accept-Encoding, the body decodes to the plain one, and the headers describe it correctly."""
    path, accept, query = request
    plain, expected = ask(filled, path, None, accept=accept, query=query)
    answer, body = ask(filled, path, accept_encoding, accept=accept, query=query)
    assert "content-encoding" not in plain.headers
    coding = answer.headers.get("content-encoding")
    assert (decode(body, coding) if coding else body) == expected
    weights = {
        name.lower(): quality for name, quality in (part.partition(";")[::2] for part in accept_encoding.split(", "))
    }
    assert coding is None or weights.get(coding, weights.get("*")) not in {None, "q=0", "q=nonsense"}
    assert answer.headers.get("content-length", str(len(body))) == str(len(body))
    assert answer.status_code == plain.status_code
    for each in (answer, plain):
        assert "accept-encoding" in list_vary(each)
    changed = ("content-encoding", "content-length", "transfer-encoding", "etag", "accept-ranges", "last-modified")
    assert pick_lasting(answer, *changed) == pick_lasting(plain, *changed)


@pytest.mark.parametrize(
    ("accept_encoding", "coding"),
    [
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate", "gzip"),
        ("gzip;q=1, zstd;q=0.5", "gzip"),
        ("*", "zstd"),
        ("zstd;q=0, *", "gzip"),
        ("gzip;q=0.5, identity", None),
        ("br", None),
        ("*;q=0", None),
        ("", None),
        (None, None),
    ],
)
@pytest.mark.parametrize("path", ["/transactions/36500", "/transactions/36500?limit=1000"])
def test_the_client_chooses(filled: ServedDatabase, path: str, accept_encoding: str | None, coding: str | None) -> None:
    """The coding with the highest quality wins, Zstandard among equals; without either the body is plain."""
    answer, _ = ask(filled, path, accept_encoding)
    assert answer.headers.get("content-encoding") == coding
    assert {"accept", "accept-encoding"} <= list_vary(answer)


@pytest.mark.parametrize("path", ["/transactions/36500/card/Visa", "/transactions/36500/country/XX", "/transactions/x"])
def test_small_answers_are_left_as_they_are(filled: ServedDatabase, path: str) -> None:
    """A body that fits one packet is not compressed, unless the client excludes the plain one."""
    answer, body = ask(filled, path, "gzip, zstd")
    assert "content-encoding" not in answer.headers
    assert len(body) < MINIMUM_BYTES
    answer, compressed = ask(filled, path, "gzip, identity;q=0")
    assert answer.headers["content-encoding"] == "gzip"
    assert decode(compressed, "gzip") == body


@pytest.mark.parametrize(
    "path", ["/transactions/36500", "/transactions/36500?limit=1000", "/transactions/36500/card/Visa", "/openapi.json"]
)
def test_head_says_what_get_does(filled: ServedDatabase, path: str) -> None:
    """HEAD has no body and the headers of the compressed GET."""
    got, _ = ask(filled, path, "gzip")
    head, body = ask(filled, path, "gzip", method="HEAD")
    assert body == b""
    assert pick_lasting(head, "transfer-encoding") == pick_lasting(got, "transfer-encoding")


def test_files_are_known_again(filled: ServedDatabase) -> None:
    """A compressed file has a weak ETag that yields 304, and no ranges; a range request gets the plain bytes."""
    path = max(STATIC.iterdir(), key=lambda each: each.stat().st_size)
    url = f"{filled.gateway.url}/static/graphiql/assets/{path.name}"
    answer = httpx.get(url, headers={"Accept-Encoding": "zstd"})
    assert answer.headers["etag"].startswith('W/"')
    assert "accept-ranges" not in answer.headers
    again = httpx.get(url, headers={"Accept-Encoding": "zstd", "If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    part = httpx.get(url, headers={"Accept-Encoding": "zstd", "Range": "bytes=0-9999"})
    assert part.status_code == 206
    assert "content-encoding" not in part.headers
    assert part.content == path.read_bytes()[:10_000]


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_a_part_is_sent_when_it_comes(filled: ServedDatabase, coding: str) -> None:
    """The first part of a list decodes to whole rows before the rest is read."""
    headers = {"Accept-Encoding": coding, "Accept": "application/x-ndjson"}
    reader = open_reader(coding)
    plain = b""
    with httpx.stream("GET", f"{filled.gateway.url}/transactions/36500", headers=headers) as answer:
        for part in answer.iter_raw():
            plain += reader.decompress(part)
            if plain.endswith(b"}\n"):
                break
    assert 0 < plain.count(b"\n") < SIZE


def test_a_list_that_breaks_off_stays_broken(tmp_path: Path) -> None:
    """When the database is killed in the middle of a list, neither chunked body nor compressed data is complete."""
    now = time.time_ns() // 1_000_000
    with run_replica_set(tmp_path, members=1) as replicas:
        # Hex digits compress poorly: far more than is read ahead and than the sockets in between hold.
        replicas.client[replicas.admin.database]["transaction"].insert_many(
            {"_id": str(number), "date": now - DAY_MS - number, "address": secrets.token_hex(10_000)}
            for number in range(7_000)
        )
        impatient = replace(replicas.admin, uri=f"{replicas.admin.connection_uri}&serverSelectionTimeoutMS=500")
        with (
            run_gateway(impatient, find_free_port(), tmp_path, GATEWAY_DATABASE_TIMEOUT_MS="1000") as gateway,
            httpx.Client(base_url=gateway.url, timeout=60) as client,
        ):
            begun = {
                coding: client.send(
                    client.build_request("GET", "/transactions/90", headers={"Accept-Encoding": coding}), stream=True
                )
                for coding in ("gzip", "zstd")
            }
            replicas.members[0].kill()
            for coding, answer in begun.items():
                assert answer.headers["content-encoding"] == coding
                parts: list[bytes] = []
                with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                    parts.extend(answer.iter_raw())
                reader = open_reader(coding)
                assert reader.decompress(b"".join(parts)).startswith(b'[{"_id":"0"')
                assert not reader.eof
