"""Encodes rows as columns, as an Arrow IPC stream or Parquet, a batch at a time, in bounded memory.

It needs pyarrow, which is optional and slow to load: gateway/export.py imports this module only on demand.
"""

import asyncio
from collections.abc import Mapping
from math import floor

import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types
from pyarrow import parquet

from database.query import FIELDS
from database.row import Row
from gateway.rows import RowFormat, write_text

_DATE = pa.timestamp("ms", "UTC")
_AMOUNT = pa.float64()
SCHEMA = pa.schema([(name, {"date": _DATE, "amount": _AMOUNT}.get(name, pa.string())) for name in FIELDS])
_LONG = 2**63
# Readers skip, and hold in memory, one row group at a time. The limit in bytes is for unusually large documents.
_GROUP_ROWS = 32_000
_GROUP_BYTES = 16_000_000


def _encode(rows: list[Row]) -> bytes:
    """Encode a record batch as a self-contained message: no column refers to a dictionary sent before."""
    columns = []
    for field in SCHEMA:
        values = [row.get(field.name) for row in rows]
        if field.type == _DATE:
            columns.append(pa.array(map(_read_date, values), _DATE, size=len(rows)))
        elif field.type == _AMOUNT:
            columns.append(pa.array(map(_read_amount, values), _AMOUNT, size=len(rows)))
        else:
            texts = [value if type(value) is str else write_text(value) for value in values]
            columns.append(pa.array(texts, pa.string()))
    return bytes(pa.record_batch(columns, schema=SCHEMA).serialize())


def _read_date(value: object) -> int | None:
    """Return whole milliseconds; None for a value that is not a number, or does not fit the column."""
    if isinstance(value, int | float) and not isinstance(value, bool) and -_LONG <= value < _LONG:
        return floor(value)
    return None


def _read_amount(value: object) -> float | None:
    if type(value) is float:
        return value
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _read_batch(part: bytes) -> pa.RecordBatch:
    return pa.ipc.read_record_batch(pa.py_buffer(part), SCHEMA)


ARROW = RowFormat(
    "application/vnd.apache.arrow.stream",
    head=bytes(SCHEMA.serialize()),
    separator=b"",
    tail=b"\xff\xff\xff\xff\0\0\0\0",
    encode=_encode,
)


class ParquetBody:
    """A Parquet file built from ARROW's parts. Each row group is written in a thread."""

    def __init__(self, entries: Mapping[str, object]) -> None:
        """Write `entries`, and the number of rows, to the file's key-value metadata."""
        self._entries = entries
        self._sink = _Sink()
        self._writer = parquet.ParquetWriter(self._sink, SCHEMA, compression="zstd")
        self._group: list[pa.RecordBatch] = []
        self._group_rows = self._group_bytes = self._rows = 0

    async def add(self, part: bytes) -> bytes:
        """Add a part; return the bytes of a row group once there are enough rows for one."""
        if part:
            batch = _read_batch(part)
            self._group.append(batch)
            self._group_rows += batch.num_rows
            self._group_bytes += len(part)
            self._rows += batch.num_rows
        if self._group_rows >= _GROUP_ROWS or self._group_bytes >= _GROUP_BYTES:
            await asyncio.to_thread(self._write_group)
        return self._sink.take()

    async def end(self) -> bytes:
        """Return the last row group and the footer, without which the file is unreadable."""
        await asyncio.to_thread(self._close)
        return self._sink.take()

    def _write_group(self) -> None:
        self._writer.write_table(pa.Table.from_batches(self._group), row_group_size=self._group_rows)
        self._group = []
        self._group_rows = self._group_bytes = 0

    def _close(self) -> None:
        if self._group:
            self._write_group()
        entries = {"rows": self._rows, **self._entries}
        self._writer.add_key_value_metadata({name: str(value) for name, value in entries.items()})
        self._writer.close()


class _Sink:
    """The file that the writer writes to: it counts the bytes written, and holds those that are yet to be taken."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def take(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)

    def write(self, data: bytes) -> None:
        part = bytes(data)
        self._parts.append(part)
        self._size += len(part)

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        """Do nothing: no file is behind it."""
