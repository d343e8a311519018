"""Whole batches of rows as JSON, a column at a time: what a selection makes of rows that hold nothing unusual.

It judges nothing: whatever it cannot express raises an exception, and the ordinary executor answers in its place.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from typing import Any, NamedTuple

import orjson

from database.query import Order, Page
from database.repository import BATCH_ROWS, Row
from schema.page import build_cursor
from schema.scalar import serialize_datetimes, serialize_decimals

# Takes about 5 ms of the event loop.
_VALUES_PER_TURN = 20_000


class Column(NamedTuple):
    """A field of many rows.

    Attributes:
        read: gives one value for each row, as it stands in the answer.
        cost: how many plain values take as long as one of these.
    """

    read: Callable[[Sequence[Row]], Iterable[object]]
    cost: int = 1


def _read_values(rows: Sequence[Row], key: str, kinds: tuple[type, ...]) -> list[Any]:
    values = [row.get(key) for row in rows]
    if not all(issubclass(kind, kinds) for kind in set(map(type, values))):
        raise TypeError
    return values


def _build_text(key: str, *other_kinds: type) -> Column:
    return Column(lambda rows: _read_values(rows, key, (str, *other_kinds)))


TRANSACTION_COLUMNS = {
    "id": _build_text("_id"),
    "date": Column(lambda rows: serialize_datetimes(_read_values(rows, "date", (int,)))),
    "currency": _build_text("currency"),
    "amount": Column(lambda rows: serialize_decimals(_read_values(rows, "amount", (int, float)))),
    "vendor": _build_text("vendor", type(None)),
    "address": _build_text("address", type(None)),
    "cardType": _build_text("cardType"),
    "cardNumber": _build_text("cardNumber"),
    "countryOrigin": _build_text("countryOrigin"),
}


def build_typename_column(name: str) -> Column:
    """Give the column of `__typename`."""
    return Column(lambda rows: repeat(name, len(rows)))


def build_cursor_column(order: Order) -> Column:
    """Give the column of the rows' cursors in an order."""
    return Column(lambda rows: [build_cursor(row, order) for row in rows], cost=10)


@dataclass(frozen=True, slots=True)
class RowShape:
    """What a selection makes of each row: its columns by their names in the answer, in their order."""

    columns: Mapping[str, Column]

    @property
    def cost(self) -> int:
        """How many plain values take as long as a row."""
        return sum(column.cost for column in self.columns.values())

    @property
    def rows_per_turn(self) -> int:
        """How many rows may be encoded before the event loop has its turn."""
        return max(1, _VALUES_PER_TURN // self.cost)

    def arrange(self, rows: Sequence[Row]) -> Iterator[dict[str, object]]:
        """Give the rows' objects; there must be columns, and no value that they do not take."""
        named = partial(zip, tuple(self.columns))
        return map(dict, map(named, zip(*(column.read(rows) for column in self.columns.values()), strict=True)))

    def encode(self, rows: Sequence[Row]) -> orjson.Fragment:
        """Give rows, at least one, as the items of a JSON list, without its brackets."""
        return orjson.Fragment(orjson.dumps(list(self.arrange(rows)))[1:-1])


class PageEncoder:
    """Encodes the rows of a page, batch by batch while they are read where that was seen, and else at the end."""

    def __init__(self, shape: RowShape, page: Page) -> None:
        self._shape = shape
        self._page = page
        self._parts: list[orjson.Fragment] = []
        self._left = page.limit or 0
        self._is_whole = shape.rows_per_turn >= BATCH_ROWS

    def note(self, batch: list[Row]) -> None:
        """Take a batch in the order of reading, which is the page's from its far end where it is read from there."""
        # One row more than the page has is read.
        rows = batch[: self._left]
        if not rows or not self._is_whole:
            return
        self._left -= len(rows)
        try:
            self._parts.append(self._shape.encode(rows[::-1] if self._page.from_end else rows))
        except Exception:  # noqa: BLE001 - the reader goes on; `finish` comes to the same rows
            self._is_whole = False

    async def finish(self, rows: list[Row]) -> list[orjson.Fragment]:
        """Give the page's rows, which together are the items of one JSON list; raises what `RowShape.arrange` does."""
        noted = (self._page.limit or 0) - self._left
        if self._is_whole and noted == len(rows):
            return self._parts[::-1] if self._page.from_end else self._parts
        parts = []
        for start in range(0, len(rows), self._shape.rows_per_turn):
            parts.append(self._shape.encode(rows[start : start + self._shape.rows_per_turn]))
            await asyncio.sleep(0)
        return parts
