"""Exports of a list in each format, as a client requests and reads them."""

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pyarrow as pa  # type: ignore[import-untyped]  # pyarrow ships without types
from hypothesis import HealthCheck, settings
from pyarrow import parquet

from gateway.export import MEDIA_TYPES
from schema.context import read_clock_ms
from tests import strategies
from tests.conftest import ServedDatabase
from tests.reference import KEYS, Document, write_cell

NOW_MS = read_clock_ms()
# Used with `days` 36500: the longest window, ending at a moment before which all documents lie.
WINDOW = {"until": str(NOW_MS)}
MANY = 60_000

documents = strategies.documents(strategies.inner_offsets.map(lambda offset: max(offset, 1)), NOW_MS)
asks = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def fill_many(served: ServedDatabase) -> None:
    """Store more rows than are read ahead, so that an interruption of their query hits it midway."""
    shared = {"currency": "USD", "amount": 1.5, "vendor": "x" * 100, "address": "a\r\nb", "cardType": "Visa"}
    rest = {"cardNumber": "4111111111111111", "countryOrigin": "US"}
    served.collection.insert_many({"_id": str(n), "date": NOW_MS - n, **shared, **rest} for n in range(MANY))


def ask(client: httpx.Client, name: str, path: str = "/transactions/36500", **parameters: str) -> httpx.Response:
    asked = {"format": name, **WINDOW, **parameters}
    answer = client.get(path, params=asked).raise_for_status()
    assert answer.headers["content-type"].startswith(MEDIA_TYPES[name])
    return answer


def read_table(name: str, body: bytes) -> pa.Table:
    return parquet.read_table(io.BytesIO(body)) if name == "parquet" else pa.ipc.open_stream(body).read_all()


def read_rows(name: str, body: bytes) -> list[Any]:
    """Return the rows of a body as objects; for CSV as lists of cells, including the header."""
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
    """Return the result expected from `read_rows`."""
    if name == "csv":
        return [list(KEYS), *([write_cell(row[key]) for key in KEYS] for row in rows)]
    if name in {"parquet", "arrow"}:
        return [{**row, "date": datetime.fromtimestamp(row["date"] / 1000, UTC)} for row in rows]
    return rows
