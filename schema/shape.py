"""Encode batches of rows as JSON, a column at a time, as long as the selection and the rows hold nothing unusual.

It reports no errors to callers: what it cannot express raises an exception, and the ordinary executor takes over.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, NamedTuple, TypeAlias, cast

import orjson

from database.query import Order, Page
from database.repository import BATCH_ROWS
from database.row import Row
from database.shared_pages import SharedRows
from schema.encoded import EncodedRows
from schema.page import build_cursor
from schema.scalar import serialize_datetimes, serialize_decimals

# Encoding them takes up to 8 ms of the event loop, after the 5 ms that reading a batch has taken.
_VALUES_PER_CHUNK = 40_000

# The most node columns that are cached: callers choose the names in them.
_NODES = 256

# A part of each row's JSON: one string for all rows, or one per row. Each character stands for a byte of UTF-8: one
# wide character would double the size of the whole joined string and make it slow to encode.
Piece: TypeAlias = str | list[str]
_BYTES = "latin-1"

# The separator of two strings in a JSON list; and what looks like it at the end of a string that ends in an (escaped)
# quote and a comma.
_BETWEEN = '","'
_ACROSS_END = b'\\","'


class Column(NamedTuple):
    """A field of many rows.

    Attributes:
        write: returns the pieces of its JSON.
        cost: how many plain values take as long to encode as one of these.
    """

    write: Callable[[Sequence[Row]], Iterable[Piece]]
    cost: int = 1


def _write_texts(rows: Sequence[Row], key: str) -> list[Piece]:
    return ['"', _escape([row[key] for row in rows]), '"']


def _write_texts_or_nulls(rows: Sequence[Row], key: str) -> list[Piece]:
    values = [row.get(key) for row in rows]
    with suppress(TypeError):
        return ['"', _escape(values), '"']
    texts = iter(_escape([value for value in values if value is not None]))
    return [["null" if value is None else f'"{next(texts)}"' for value in values]]


def _escape(texts: list[Any]) -> list[str]:
    """Return strings as they stand between JSON's quotes; raises TypeError if one is not a string."""
    joined = "".join(texts)
    if joined.isascii() and b"\\" not in orjson.dumps(joined):
        return texts
    escaped = orjson.dumps(texts)
    if b"\\" not in escaped:
        return [text if text.isascii() else text.encode().decode(_BYTES) for text in texts]
    if _ACROSS_END in escaped:
        return [orjson.dumps(text)[1:-1].decode(_BYTES) for text in texts]
    return escaped[2:-2].decode(_BYTES).split(_BETWEEN)


def _read_numbers(rows: Sequence[Row], key: str, *kinds: type) -> list[Any]:
    values = [row[key] for row in rows]
    if not all(issubclass(kind, kinds) and kind is not bool for kind in set(map(type, values))):
        raise TypeError
    return values


TRANSACTION_COLUMNS = {
    "id": Column(lambda rows: _write_texts(rows, "_id")),
    "date": Column(lambda rows: ['"', serialize_datetimes(_read_numbers(rows, "date", int)), '"']),
    "currency": Column(lambda rows: _write_texts(rows, "currency")),
    "amount": Column(lambda rows: ['"', serialize_decimals(_read_numbers(rows, "amount", int, float)), '"']),
    "vendor": Column(lambda rows: _write_texts_or_nulls(rows, "vendor")),
    "address": Column(lambda rows: _write_texts_or_nulls(rows, "address")),
    "cardType": Column(lambda rows: _write_texts(rows, "cardType")),
    "cardNumber": Column(lambda rows: _write_texts(rows, "cardNumber")),
    "countryOrigin": Column(lambda rows: _write_texts(rows, "countryOrigin")),
}


# Cached, so that equal selections have equal columns: rows that requests share are encoded once for those that select
# the same.
@cache
def build_typename_column(name: str) -> Column:
    """Return the column of `__typename`."""
    return Column(lambda _rows: [f'"{name}"'])


@cache
def build_cursor_column(order: Order) -> Column:
    """Return the column of the rows' cursors in an order."""
    return Column(lambda rows: ['"', [build_cursor(row, order) for row in rows], '"'], cost=25)


@dataclass(frozen=True, slots=True)
class RowShape:
    """What a selection makes of each row: its columns, at least one, by response name, in order."""

    columns: Mapping[str, Column]

    @property
    def cost(self) -> int:
        """How many plain values take as long to encode as a row."""
        return sum(column.cost for column in self.columns.values())

    @property
    def rows_per_chunk(self) -> int:
        """How many rows may be encoded before the event loop does other work."""
        return max(1, _VALUES_PER_CHUNK // self.cost)

    def write(self, rows: Sequence[Row]) -> Iterator[Piece]:
        """Yield the pieces of the rows' JSON objects; raises an exception of any type for an unexpected value."""
        for place, (name, column) in enumerate(self.columns.items()):
            yield f'{"," if place else "{"}"{name}":'
            yield from column.write(rows)
        yield "}"

    def encode(self, rows: Sequence[Row]) -> EncodedRows:
        """Encode at least one row as items of a JSON list, without its brackets."""
        pieces = list(_join_constants([*self.write(rows), ","]))
        flat = [piece if isinstance(piece, str) else "" for piece in pieces] * len(rows)
        for place, piece in enumerate(pieces):
            if not isinstance(piece, str):
                flat[place :: len(pieces)] = piece
        flat[-1] = flat[-1][:-1]
        return EncodedRows("".join(flat).encode(_BYTES))


@lru_cache(maxsize=_NODES)
def build_node_column(columns: tuple[tuple[str, Column], ...]) -> Column:
    """Return the column of an edge's `node`, built from the node's own columns by name."""
    node = RowShape(dict(columns))
    return Column(node.write, node.cost)


def _join_constants(pieces: Iterable[Piece]) -> Iterator[Piece]:
    constant = ""
    for piece in pieces:
        if isinstance(piece, str):
            constant += piece
        else:
            yield from (constant, piece)
            constant = ""
    yield constant


class PageEncoder:
    """Encode the rows of a page: batch by batch as `note` receives them, or else all in `finish`.

    Attributes:
        is_noting: whether `note` encodes batches.
    """

    def __init__(self, shape: RowShape, page: Page) -> None:
        self._shape = shape
        self._page = page
        self._parts: list[EncodedRows] = []
        self._left = page.limit or 0
        self.is_noting = shape.rows_per_chunk >= BATCH_ROWS

    def note(self, batch: list[Row]) -> None:
        """Encode a batch; batches come in reading order, the reverse of the page's if it is read from the end."""
        # One row more than the page holds is read.
        rows = batch[: self._left]
        if not rows or not self.is_noting:
            return
        self._left -= len(rows)
        try:
            self._parts.append(self._encode(batch, rows))
        except Exception:  # noqa: BLE001 - the reader goes on; `finish` encodes the same rows again
            self.is_noting = False

    def _encode(self, batch: list[Row], rows: list[Row]) -> EncodedRows:
        """Encode rows of a batch, or reuse the encoding that another request made of them."""
        if not isinstance(batch, SharedRows):
            return self._shape.encode(rows[::-1] if self._page.from_end else rows)
        key = (len(rows), *self._shape.columns.items())
        encoded = batch.memo.get(key)
        if encoded is None:
            encoded = batch.memo[key] = self._shape.encode(rows)
        return cast("EncodedRows", encoded)

    async def finish(
        self, number: int, load: Callable[[], Awaitable[Sequence[Row]]], chunk_lock: asyncio.Lock
    ) -> list[EncodedRows]:
        """Return the page's rows, which together are the items of one JSON list; raises what `RowShape.encode` does.

        Unless all were encoded by `note`, all are loaded and encoded here, in chunks.

        Args:
            number: how many rows the page has.
            load: returns them.
            chunk_lock: held while a chunk is encoded.
        """
        noted = (self._page.limit or 0) - self._left
        if self.is_noting and noted == number:
            return self._parts[::-1] if self._page.from_end else self._parts
        parts = []
        rows = await load()
        for start in range(0, len(rows), self._shape.rows_per_chunk):
            async with chunk_lock:
                parts.append(self._shape.encode(rows[start : start + self._shape.rows_per_chunk]))
                await asyncio.sleep(0)
        return parts
