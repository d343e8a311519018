"""Decides how a list is sent: its format, the end of its window, its file's name, and whether it has a trailer.

It writes no rows: gateway/rows.py and gateway/arrow.py do.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec

from fastapi import Request

from database.cursor import Position, decode_cursor, find_row_position
from database.errors import InvalidParameterError, quote_value
from database.query import DAY_MS, Order, TransactionFilter
from gateway.errors import PLUS, NotAcceptableError
from gateway.negotiation import choose_media_type
from gateway.rows import CSV, JSON, NDJSON, Body, PlainBody, ProvenBody, RowFormat

# In the order in which they are offered: JSON to clients without a preference.
MEDIA_TYPES = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}
# Where the suffix differs from the format's name: an Arrow stream is not an Arrow file.
_SUFFIXES = {"arrow": "arrows"}
_TEXTS = {"json": JSON, "ndjson": NDJSON, "csv": CSV}
_NEED_PYARROW = {"parquet", "arrow"}
_INSTALL = "Parquet and Arrow need pyarrow on the server: install the gateway with the extra export."
_ACCEPTED_AFTER = "the `after` of a Link header, the `next` of a trailer, or `date,_id` of a row that was received"
_LATEST_MS = 253_402_300_799_999  # the end of the year 9999, the last that ISO 8601 writes with four digits
_MILLISECONDS = re.compile(r"[0-9]{1,15}")
_UNSAFE = re.compile(r"[^A-Za-z0-9.-]+")


@dataclass(frozen=True, slots=True)
class Export:
    """How one list is sent.

    Attributes:
        row_format: how its rows are encoded, for all clients that share its reading.
        media_type: of the response.
        headers: further headers of the response.
        open_body: opens the body; takes the trailer's entries other than the number of rows.
    """

    row_format: RowFormat
    media_type: str
    headers: dict[str, str]
    open_body: Callable[[Mapping[str, object]], Body]


async def choose_export(request: Request, wanted: TransactionFilter, name: str | None, trailer: str | None) -> Export:
    """Choose how to send a list: by `format` if the caller named one, otherwise by Accept.

    Raises:
        InvalidParameterError: the format does not exist, or `trailer` is neither true nor false.
        NotAcceptableError: Accept excludes all formats, or the format needs pyarrow and it is not installed.
    """
    is_proven = _read_flag(trailer, "trailer")
    headers = {"Vary": "Accept"}
    if name is None:
        name = _choose_by_accept(tuple(request.headers.getlist("accept")))
    elif name not in MEDIA_TYPES:
        raise InvalidParameterError(f"format is {quote_value(name)}; give one of {', '.join(MEDIA_TYPES)}.")
    else:
        headers["Content-Disposition"] = f'attachment; filename="{build_file_name(wanted, name)}"'
    if name in _NEED_PYARROW and not has_pyarrow():
        raise NotAcceptableError(_INSTALL)
    if text := _TEXTS.get(name):
        return Export(
            text,
            text.media_type,
            headers,
            lambda entries: ProvenBody(text, entries) if is_proven and text.prove else PlainBody(text),
        )
    # In a thread: the first import takes a quarter of a second.
    arrow = await asyncio.to_thread(import_module, "gateway.arrow")
    open_body = arrow.ParquetBody if name == "parquet" else lambda _entries: PlainBody(arrow.ARROW)
    return Export(arrow.ARROW, MEDIA_TYPES[name], headers, open_body)


@lru_cache(maxsize=64)
def _choose_by_accept(lines: tuple[str, ...]) -> str:
    offers = [name for name in MEDIA_TYPES if name not in _NEED_PYARROW or has_pyarrow()]
    try:
        chosen = choose_media_type(lines, [MEDIA_TYPES[name] for name in offers])
    except NotAcceptableError as error:
        if any(MEDIA_TYPES[name] in line for name in _NEED_PYARROW for line in lines) and not has_pyarrow():
            raise NotAcceptableError(f"{error} {_INSTALL}") from None
        raise
    return next(name for name in offers if MEDIA_TYPES[name] == chosen)


@lru_cache(maxsize=1)
def has_pyarrow() -> bool:
    """Whether lists can be sent as Parquet and Arrow; does not load pyarrow."""
    return find_spec("pyarrow") is not None


def read_end(request: Request, until: str | None) -> int:
    """Return the end of the window in ms since the epoch, UTC: the caller's, or the moment the request arrived.

    Raises:
        InvalidParameterError: `until` is not a valid moment.
    """
    if until is None:
        return int(request.state.now_ms)
    moment = _find_moment(until)
    if moment is None or not 0 <= moment <= _LATEST_MS:
        raise InvalidParameterError(
            f"until is {quote_value(until)}; give a moment since 1970 in ms since the epoch, or in ISO 8601 with its"
            " offset from UTC, such as 2026-01-31T18:00:00Z." + (PLUS if " " in until else "")
        )
    return moment


def _find_moment(text: str) -> int | None:
    if _MILLISECONDS.fullmatch(text):
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    # Without an offset, the moment would depend on the machine's time zone.
    return None if moment.tzinfo is None else round(moment.timestamp() * 1000)


def read_position(after: str | None) -> Position | None:
    """Return the position to continue after: that of a cursor, or of a received row's `<date>,<_id>`.

    Raises:
        InvalidCursorError: `after` is neither.
    """
    if after is None:
        return None
    return find_row_position(after) or decode_cursor(
        after, order=Order.DATE_DESC.name, field="after", accepted=_ACCEPTED_AFTER
    )


def build_file_name(wanted: TransactionFilter, name: str) -> str:
    """Build a file's name from the window's length, the conditions and the window's end in UTC, in plain characters."""
    until, since = wanted.until or 0, wanted.since or 0
    parts = ["transactions", f"{(until - since) // DAY_MS}d", wanted.card_type, wanted.country]
    if wanted.min_amount is not None or wanted.max_amount is not None:
        low, high = ("" if amount is None else amount for amount in (wanted.min_amount, wanted.max_amount))
        parts.append(f"{low}-{high}")
    parts.append(f"{datetime.fromtimestamp(until / 1000, UTC):%Y%m%dT%H%M%SZ}")
    return "_".join(_UNSAFE.sub("-", part) for part in parts if part) + f".{_SUFFIXES.get(name, name)}"


def _read_flag(text: str | None, field: str) -> bool:
    if text not in {None, "true", "false"}:
        raise InvalidParameterError(f"{field} is {quote_value(text or '')}; give true or false.")
    return text == "true"
