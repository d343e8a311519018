"""Exports: the same rows in every format, with a file name, a trailer and pages."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import httpx
import polars as pl
import pytest
from hypothesis import given
from pyarrow import parquet  # type: ignore[import-untyped]  # pyarrow ships without types

from database.repository import BATCH_ROWS
from gateway.export import MEDIA_TYPES
from tests import strategies
from tests.conftest import ServedDatabase
from tests.export import (
    MANY,
    NOW_MS,
    WINDOW,
    ask,
    asks,
    documents,
    fill_many,
    read_rows,
    read_table,
    write_rows,
)
from tests.reference import KEYS, Document, Question, select


@asks
@given(found=documents, question=strategies.questions())
@pytest.mark.parametrize("name", MEDIA_TYPES)
def test_each_format_has_the_rows_of_the_reference(
    served: ServedDatabase, client: httpx.Client, name: str, found: list[Document], question: Question
) -> None:
    """An export read back holds the reference's rows in every format, in order and with the right types."""
    served.fill(found)
    asked = Question(question.days, question.card_type, question.country, question.min_amount, question.max_amount)
    days = 36_500 if question.days is None else question.days
    body = ask(client, name, f"/transactions/{days}", **asked.write_parameters()).content
    assert read_rows(name, body) == write_rows(name, select(found, asked, NOW_MS))


@asks
@given(found=strategies.odd_documents(documents))
def test_odd_documents_break_no_export(served: ServedDatabase, client: httpx.Client, found: list[Document]) -> None:
    """Whatever other programs have stored, each format has as many rows as JSON, and CSV records have all fields."""
    served.fill(found)
    expected = read_rows("json", ask(client, "json").content)
    assert len(read_rows("ndjson", ask(client, "ndjson").content)) == len(expected)
    records = read_rows("csv", ask(client, "csv").content)
    assert [len(record) for record in records] == [len(KEYS)] * (len(expected) + 1)
    tables = [read_table(name, ask(client, name).content) for name in ("parquet", "arrow")]
    # Compared as text, because a NaN amount equals no other.
    assert len({str(table.to_pylist()) for table in tables}) == 1
    table = tables[0]
    assert table.num_rows == len(expected)
    for row, amount in zip(expected, table["amount"].to_pylist(), strict=True):
        if type(row.get("amount")) in {int, float}:
            # The column holds doubles; an integer stored by another program may have more digits.
            assert amount == float(row["amount"])
    for row, vendor in zip(expected, table["vendor"].to_pylist(), strict=True):
        if isinstance(row.get("vendor"), str):
            assert vendor == row["vendor"]


def test_formulas_are_texts_and_numbers_stay_numbers(served: ServedDatabase, client: httpx.Client) -> None:
    """Text that a spreadsheet would run as a formula gets an apostrophe in CSV; a negative amount gets none."""
    document = {"_id": "+1", "date": NOW_MS - 1, "amount": -1.5, "vendor": "=1+1", "address": "@x", "cardType": "-1"}
    served.collection.insert_one({**document, "currency": "\tUSD", "countryOrigin": {"a": 1}})
    [row] = list(csv.reader(io.StringIO(ask(client, "csv").text, newline="")))[1:]
    assert row == ["'+1", str(NOW_MS - 1), "'\tUSD", "-1.5", "'=1+1", "'@x", "'-1", "", '{"a":1}']


@pytest.mark.parametrize("name", MEDIA_TYPES)
def test_pages_of_each_format_make_the_whole(served: ServedDatabase, client: httpx.Client, name: str) -> None:
    """Pages followed by their links together hold the rows of the whole list."""
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
    """The requested last line gives the number of rows before it, whatever quotes and line breaks they hold."""
    served.fill(found)
    body = ask(client, name, trailer="true").content
    assert read_proof(body) == {"complete": True, "rows": len(found), "until": NOW_MS, "next": None}
    assert read_rows(name, body)[:-1] == read_rows(name, ask(client, name).content)


def test_only_the_trailer_is_a_comment(served: ServedDatabase, client: httpx.Client) -> None:
    """Outside quotes, # occurs only in the last line: pandas drops what follows one within a line."""
    document = {"_id": "#1", "date": NOW_MS - 1, "vendor": "SHOP #12", "address": "Carrera 5 # 4", "cardType": "Visa"}
    served.collection.insert_one(document)
    text = ask(client, "csv", trailer="true").text
    outside = "".join(text.split('"')[::2])
    assert outside.count("#") == outside.count("\r\n#complete=") == 1
    assert read_rows("csv", text.encode())[1][:6] == ["#1", str(NOW_MS - 1), "", "", "SHOP #12", "Carrera 5 # 4"]


def test_a_trailer_of_a_page_leads_on(served: ServedDatabase, client: httpx.Client) -> None:
    """The last line of a page holds the cursor of the next page."""
    served.collection.insert_many({"_id": str(number), "date": NOW_MS - number} for number in range(5))
    proof = read_ndjson_proof(ask(client, "ndjson", limit="2", trailer="true").content)
    rows = read_rows("ndjson", ask(client, "ndjson", after=proof["next"]).content)
    assert [row["_id"] for row in rows] == ["2", "3", "4"]


def test_columns_open_with_their_types(served: ServedDatabase, client: httpx.Client) -> None:
    """Polars reads dates as UTC timestamps, amounts as doubles, everything else as text, and every row."""
    fill_many(served)
    for name, read in (("parquet", pl.read_parquet), ("arrow", pl.read_ipc_stream)):
        frame = read(io.BytesIO(ask(client, name).content))
        assert frame.height == MANY
        columns = {"date": pl.Datetime("ms", "UTC"), "amount": pl.Float64()}
        assert frame.schema == pl.Schema({key: columns.get(key, pl.String()) for key in KEYS})
    metadata = parquet.read_metadata(io.BytesIO(ask(client, "parquet").content))
    assert metadata.metadata[b"rows"] == str(MANY).encode()
    groups = [metadata.row_group(place).num_rows for place in range(metadata.num_row_groups)]
    # A row group ends with the batch that fills it.
    assert sum(groups) == MANY
    assert all(32_000 <= rows < 32_000 + BATCH_ROWS for rows in groups[:-1])
    assert len(groups) == 2


def test_a_file_has_a_name_and_an_answer_by_accept_has_none(served: ServedDatabase, client: httpx.Client) -> None:
    """`format` yields a download named after the query; Accept yields the same bytes without a name."""
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
    """A Parquet file is not compressed again; text and Arrow use the coding that the client accepts."""
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
        ({"until": "2026-01-31T18:00:00 01:00"}, "In a URL, + is written %2B."),
    ],
)
def test_a_wrong_parameter_is_explained(client: httpx.Client, parameters: dict[str, str], says: str) -> None:
    """An invalid parameter value is named, with the valid ones."""
    for path in ("/transactions/1", "/transactions/1/country/US", "/transactions/1/amount/1/2"):
        problem = client.get(path, params=parameters).json()
        assert (problem["status"], problem["code"]) == (400, "INVALID_PARAMETER")
        assert says in problem["detail"]
