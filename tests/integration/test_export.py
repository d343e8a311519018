"""Exports: the same rows in every format, whole or visibly broken, and to be gone on with where they broke off."""

import csv
import io
import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import httpx
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from pymongo import MongoClient

from database.index import COLLECTION
from database.repository import BATCH_ROWS
from gateway.export import MEDIA_TYPES
from schema.context import read_clock_ms
from tests import strategies
from tests.conftest import ServedDatabase
from tests.reference import KEYS, Document, Question, select, write_cell
from tests.waiting import wait_until

NOW_MS = read_clock_ms()
# The longest window, up to a moment that the documents lie before.
WINDOW = {"until": str(NOW_MS)}
MANY = 60_000
documents = strategies.documents(strategies.inner_offsets.map(lambda offset: max(offset, 1)), NOW_MS)
asks = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def client(served: ServedDatabase) -> Iterator[httpx.Client]:
    served.collection.delete_many({})
    with httpx.Client(base_url=served.gateway.url, timeout=60) as client:
        yield client


def fill(served: ServedDatabase, found: list[Document]) -> None:
    served.collection.delete_many({})
    if found:
        served.collection.insert_many([{**document} for document in found])


def fill_many(served: ServedDatabase) -> None:
    """Store more rows than are read ahead, so that what ends their query ends it in the middle."""
    shared = {"currency": "USD", "amount": 1.5, "vendor": "x" * 100, "address": "a\r\nb", "cardType": "Visa"}
    rest = {"cardNumber": "4111111111111111", "countryOrigin": "US"}
    served.collection.insert_many({"_id": str(n), "date": NOW_MS - n, **shared, **rest} for n in range(MANY))


def ask(client: httpx.Client, name: str, path: str = "/transactions/36500", **parameters: str) -> httpx.Response:
    answer = client.get(path, params={"format": name, **WINDOW, **parameters}).raise_for_status()
    assert answer.headers["content-type"].startswith(MEDIA_TYPES[name])
    return answer


def read_table(name: str, body: bytes) -> pa.Table:
    return parquet.read_table(io.BytesIO(body)) if name == "parquet" else pa.ipc.open_stream(body).read_all()


def read_rows(name: str, body: bytes) -> list[Any]:
    """Give the rows of a body: as objects, or from CSV as records, its head among them."""
    match name:
        case "json":
            return list(json.loads(body))
        case "ndjson":
            return [json.loads(line) for line in body.splitlines()]
        case "csv":
            return list(csv.reader(io.StringIO(body.decode(), newline="")))
        case _:
            return list(read_table(name, body).to_pylist())


def write_rows(name: str, rows: list[Document]) -> list[Any]:
    """Give what `read_rows` is to give."""
    if name == "csv":
        return [list(KEYS), *([write_cell(row[key]) for key in KEYS] for row in rows)]
    if name in {"parquet", "arrow"}:
        return [{**row, "date": datetime.fromtimestamp(row["date"] / 1000, UTC)} for row in rows]
    return rows


@asks
@given(found=documents, question=strategies.questions())
@pytest.mark.parametrize("name", MEDIA_TYPES)
def test_each_format_has_the_rows_of_the_reference(
    served: ServedDatabase, client: httpx.Client, name: str, found: list[Document], question: Question
) -> None:
    """Read back, an export of each format holds the reference's rows, in their order and of the right types."""
    fill(served, found)
    asked = Question(question.days, question.card_type, question.country, question.min_amount, question.max_amount)
    days = 36_500 if question.days is None else question.days
    body = ask(client, name, f"/transactions/{days}", **asked.write_parameters()).content
    assert read_rows(name, body) == write_rows(name, select(found, asked, NOW_MS))


@asks
@given(found=strategies.odd_documents(documents))
def test_odd_documents_break_no_export(served: ServedDatabase, client: httpx.Client, found: list[Document]) -> None:
    """Whatever other programs have stored, each format has as many rows as JSON, and what has no place is null."""
    fill(served, found)
    expected = read_rows("json", ask(client, "json").content)
    assert len(read_rows("ndjson", ask(client, "ndjson").content)) == len(expected)
    records = read_rows("csv", ask(client, "csv").content)
    assert [len(record) for record in records] == [len(KEYS)] * (len(expected) + 1)
    tables = [read_table(name, ask(client, name).content) for name in ("parquet", "arrow")]
    # Written out, for an amount that is NaN equals no other.
    assert len({str(table.to_pylist()) for table in tables}) == 1
    table = tables[0]
    assert table.num_rows == len(expected)
    for row, amount in zip(expected, table["amount"].to_pylist(), strict=True):
        if type(row.get("amount")) in {int, float}:
            # The column holds doubles; what another program stored as a whole number may have more digits.
            assert amount == float(row["amount"])
    for row, vendor in zip(expected, table["vendor"].to_pylist(), strict=True):
        if isinstance(row.get("vendor"), str):
            assert vendor == row["vendor"]


def test_formulas_are_texts_and_numbers_stay_numbers(served: ServedDatabase, client: httpx.Client) -> None:
    """What a spreadsheet would run gets an apostrophe in CSV, in any column of text; a negative amount gets none."""
    document = {"_id": "+1", "date": NOW_MS - 1, "amount": -1.5, "vendor": "=1+1", "address": "@x", "cardType": "-1"}
    served.collection.insert_one({**document, "currency": "\tUSD", "countryOrigin": {"a": 1}})
    [row] = list(csv.reader(io.StringIO(ask(client, "csv").text, newline="")))[1:]
    assert row == ["'+1", str(NOW_MS - 1), "'\tUSD", "-1.5", "'=1+1", "'@x", "'-1", "", '{"a":1}']


@pytest.mark.parametrize("name", MEDIA_TYPES)
def test_pages_of_each_format_make_the_whole(served: ServedDatabase, client: httpx.Client, name: str) -> None:
    """Pages followed by their links hold together what the list holds."""
    served.collection.insert_many(
        {"_id": str(number), "date": NOW_MS - number // 3, "amount": 1.0, "vendor": "v"} for number in range(25)
    )
    whole = read_rows(name, ask(client, name).content)
    answer = ask(client, name, limit="10")
    rows: list[Any] = []
    while True:
        page = read_rows(name, answer.content)
        rows += page[1:] if name == "csv" and rows else page
        if "next" not in answer.links:
            break
        answer = client.get(answer.links["next"]["url"])
    assert rows == whole


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
    """After any row, its date and id lead to all that follow, whatever was stored since in the window's future."""
    fill(served, found)
    whole = read_rows("json", ask(client, "json").content)
    last = whole[place % len(whole)]
    served.collection.insert_one({"_id": "later", "date": NOW_MS + later})
    rest = ask(client, name, after=f"{last['date']},{last['_id']}").content
    assert read_rows(name, rest) == write_rows(name, whole[place % len(whole) + 1 :])


def test_an_object_id_is_gone_on_with_too(served: ServedDatabase, client: httpx.Client) -> None:
    """The text of an ObjectId leads on among the ObjectIds of the same date."""
    served.collection.insert_many({"date": NOW_MS - 1} for _ in range(5))
    whole = read_rows("json", ask(client, "json").content)
    rest = ask(client, "json", after=f"{NOW_MS - 1},{whole[1]['_id']}").json()
    assert rest == whole[2:]


def read_ndjson_proof(body: bytes) -> dict[str, Any]:
    return dict(json.loads(body.splitlines()[-1]))


def read_csv_proof(body: bytes) -> dict[str, Any]:
    *_, record = csv.reader(io.StringIO(body.decode(), newline=""))
    assert len(record) == len(KEYS)
    return {name: json.loads(value) for name, value in (each.lstrip("#").split("=") for each in record if each)}


@asks
@given(found=documents)
@pytest.mark.parametrize(("name", "read_proof"), [("ndjson", read_ndjson_proof), ("csv", read_csv_proof)])
def test_a_trailer_counts_the_rows(
    served: ServedDatabase,
    client: httpx.Client,
    name: str,
    read_proof: Callable[[bytes], dict[str, Any]],
    found: list[Document],
) -> None:
    """The line that is asked for says how many rows came before it, whatever quotes and breaks they hold."""
    fill(served, found)
    body = ask(client, name, trailer="true").content
    assert read_proof(body) == {"complete": True, "rows": len(found), "until": NOW_MS, "next": None}
    assert read_rows(name, body)[:-1] == read_rows(name, ask(client, name).content)


def test_a_trailer_of_a_page_leads_on(served: ServedDatabase, client: httpx.Client) -> None:
    """The last line of a page has the cursor of the next."""
    served.collection.insert_many({"_id": str(number), "date": NOW_MS - number} for number in range(5))
    proof = read_ndjson_proof(ask(client, "ndjson", limit="2", trailer="true").content)
    rows = read_rows("ndjson", ask(client, "ndjson", after=proof["next"]).content)
    assert [row["_id"] for row in rows] == ["2", "3", "4"]


def test_columns_open_with_their_types(served: ServedDatabase, client: httpx.Client) -> None:
    """Polars reads dates as moments in UTC, amounts as doubles and all else as text, and every row."""
    fill_many(served)
    for name, read in (("parquet", pl.read_parquet), ("arrow", pl.read_ipc_stream)):
        frame = read(io.BytesIO(ask(client, name).content))
        assert frame.height == MANY
        columns = {"date": pl.Datetime("ms", "UTC"), "amount": pl.Float64()}
        assert frame.schema == pl.Schema({key: columns.get(key, pl.String()) for key in KEYS})
    metadata = parquet.read_metadata(io.BytesIO(ask(client, "parquet").content))
    assert metadata.metadata[b"rows"] == str(MANY).encode()
    groups = [metadata.row_group(place).num_rows for place in range(metadata.num_row_groups)]
    # A group ends with the batch that fills it.
    assert sum(groups) == MANY
    assert all(32_000 <= rows < 32_000 + BATCH_ROWS for rows in groups[:-1])
    assert len(groups) == 2


def find_cursors(served: ServedDatabase, admin: MongoClient[dict[str, Any]]) -> list[int]:
    namespace = f"{served.collection.database.name}.{COLLECTION}"
    operations = admin["admin"].aggregate([{"$currentOp": {"allUsers": True, "idleCursors": True}}])
    cursors = [each["cursor"] for each in operations if each.get("ns") == namespace and "cursor" in each]
    # The change stream behind the counts is tailable; it stays.
    return [cursor["cursorId"] for cursor in cursors if not cursor["tailable"]]


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
                if cursors := find_cursors(served, admin):
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
    """When the client closes its connection in the middle of an export, no cursor stays in the database."""
    fill_many(served)
    wait_until(lambda: not find_cursors(served, admin))
    address = urlsplit(str(client.base_url))
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.sendall(f"GET /transactions/36500?format={name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert connection.recv(10).startswith(b"HTTP/1.1 2")
    wait_until(lambda: not find_cursors(served, admin))


def test_a_file_has_a_name_and_an_answer_by_accept_has_none(served: ServedDatabase, client: httpx.Client) -> None:
    """`format` gives a file to download, named after the question; Accept gives the same bytes without a name."""
    served.collection.insert_one({"_id": "a", "date": NOW_MS - 1})
    parameters = {"until": "2030-01-31T18:00:00Z", "card": 'Vi"sa', "country": "usa", "minAmount": "1.50"}
    answer = client.get("/transactions/90", params={**parameters, "format": "arrow"})
    name = "transactions_90d_Vi-sa_US_1.50-_20300131T180000Z.arrows"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    plain = client.get("/transactions/90", params=parameters, headers={"Accept": MEDIA_TYPES["arrow"]})
    assert "content-disposition" not in plain.headers
    assert plain.content == answer.content


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_parquet_is_compressed_within(served: ServedDatabase, client: httpx.Client, coding: str) -> None:
    """A Parquet file comes as it is, text and Arrow in the coding that the client accepts."""
    fill_many(served)
    codings = {
        name: client.head(
            "/transactions/1", params={"format": name, **WINDOW}, headers={"Accept-Encoding": coding}
        ).headers.get("content-encoding")
        for name in MEDIA_TYPES
    }
    assert codings == {name: None if name == "parquet" else coding for name in MEDIA_TYPES}


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"format": "xlsx"}, "format is 'xlsx'; give one of json, ndjson, csv, parquet, arrow."),
        ({"format": ""}, "format is ''"),
        ({"trailer": "yes"}, "trailer is 'yes'; give true or false."),
        ({"until": "yesterday"}, "until is 'yesterday'; give a moment"),
        ({"until": "2026-01-31"}, "its offset from UTC"),
        ({"until": "-1"}, "until is '-1'"),
        ({"until": "0001-01-01T00:00:00+14:00"}, "since 1970"),
        ({"until": "2026-01-31T18:00:00 01:00"}, "In an address a + is written %2B."),
    ],
)
def test_a_wrong_parameter_is_explained(client: httpx.Client, parameters: dict[str, str], says: str) -> None:
    """A value that is not taken is named, with what is."""
    for path in ("/transactions/1", "/transactions/1/country/US", "/transactions/1/amount/1/2"):
        problem = client.get(path, params=parameters).json()
        assert (problem["status"], problem["code"]) == (400, "INVALID_PARAMETER")
        assert says in problem["detail"]


@contextmanager
def run_breaking_proxy(served: ServedDatabase, limits: list[int]) -> Iterator[str]:
    """Give the address of a proxy that ends each connection after so many bytes of its answer, in turn."""
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
    """The program in docs/export.md has each row once when the connection has broken three times."""
    text = (Path(__file__).parents[2] / "docs" / "export.md").read_text()
    [program] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, Any] = {}
    exec(program, names)  # noqa: S102 - it is the documentation's
    served.collection.insert_many({"_id": str(n), "date": NOW_MS - n // 3, "vendor": "x" * 50} for n in range(9_000))
    limits = [200_000, 1_500, 301_234]
    with run_breaking_proxy(served, limits) as url:
        rows = names["download"](f"{url}/transactions/1", str(tmp_path / "rows"))
    assert not limits
    assert rows == 9_000
    assert (tmp_path / "rows").read_bytes() == client.get("/transactions/1?format=ndjson").content
