"""Parse the page that a caller requests: Relay's first, after, last and before, and REST's limit."""

import re

from database.cursor import decode_cursor, encode_cursor
from database.errors import InvalidPageError, quote_value
from database.query import Order, Page
from database.row import Row
from schema.resolvers import get_position

DEFAULT_ROWS = 100
MAX_ROWS = 10_000


def build_page(
    order: Order,
    *,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> Page:
    """Build a page from Relay's four arguments; `first` is DEFAULT_ROWS if neither it nor `last` is given.

    Raises:
        InvalidPageError: first and last are both given, or one of them is outside 0 to MAX_ROWS.
        InvalidCursorError: a cursor is malformed, was altered, or belongs to another order.
    """
    if first is not None and last is not None:
        raise InvalidPageError("first and last are both given; give one of them.")
    count, name = (first, "first") if last is None else (last, "last")
    if count is not None and not 0 <= count <= MAX_ROWS:
        raise InvalidPageError(f"{name} is {count}; give a whole number from 0 to {MAX_ROWS}.")
    return Page(
        limit=DEFAULT_ROWS if count is None else count,
        after=None if after is None else decode_cursor(after, order=order.name, field="after"),
        before=None if before is None else decode_cursor(before, order=order.name, field="before"),
        from_end=last is not None,
    )


def parse_limit(text: str) -> int:
    """Parse REST's limit, from 1 to MAX_ROWS; raises InvalidPageError."""
    if re.fullmatch(r"[0-9]{1,9}", text) and 1 <= int(text) <= MAX_ROWS:
        return int(text)
    raise InvalidPageError(
        f"limit is {quote_value(text)}; give a whole number from 1 to {MAX_ROWS}, or leave it out for all rows.",
    )


def build_cursor(row: Row, order: Order) -> str:
    """Return the cursor of a row in an order; raises MalformedDocumentError if the row cannot have one."""
    return encode_cursor(order.name, get_position(row, order))
