"""Encodes rows as JSON, NDJSON or CSV, a batch at a time, and streams them in constant memory."""

import csv
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

import orjson
from starlette.types import Receive, Scope, Send

from database.query import FIELDS
from database.row import Row
from gateway.admission import Slot
from gateway.stream_response import StreamResponse, send_part

# Characters that start a formula in a spreadsheet (OWASP, CSV Injection), including their full-width forms.
_FORMULA_STARTS = frozenset("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - full-width on purpose
# After this long a list releases its slot, so that short requests do not wait for the end of an export.
_LONG_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class RowFormat:
    """How to encode batches of rows as parts of a body, identically for all clients that share a list.

    Attributes:
        media_type: with its parameters.
        head: what precedes the first part.
        separator: what separates parts.
        tail: what follows the last part.
        encode: encodes rows, at least one, as a part.
        count: returns the number of rows in a part.
        prove: builds a trailer line from facts about the body, for formats whose end does not show that it is complete.
    """

    media_type: str
    head: bytes
    separator: bytes
    tail: bytes
    encode: Callable[[list[Row]], bytes]
    count: Callable[[bytes], int] | None = None
    prove: Callable[[Mapping[str, object]], bytes] | None = None


class Body(Protocol):
    """Builds one client's response body from parts as they arrive."""

    async def add(self, part: bytes) -> bytes:
        """Take a part, of which only the first may be empty, and return the bytes to send now, which may be none."""
        ...

    async def end(self) -> bytes:
        """Return the last bytes, which complete the body."""
        ...


class PlainBody:
    """A body of the parts as they are."""

    def __init__(self, row_format: RowFormat) -> None:
        self._format = row_format
        self._before = row_format.head

    async def add(self, part: bytes) -> bytes:
        body = self._before + part
        self._before = self._format.separator
        return body

    async def end(self) -> bytes:
        return self._format.tail


class ProvenBody(PlainBody):
    """A body with a trailer line that states that it is complete and how many rows it has."""

    def __init__(self, row_format: RowFormat, entries: Mapping[str, object]) -> None:
        """Add `entries` to the trailer."""
        super().__init__(row_format)
        self._entries = entries
        self._rows = 0

    async def add(self, part: bytes) -> bytes:
        if self._format.count:
            self._rows += self._format.count(part)
        return await super().add(part)

    async def end(self) -> bytes:
        proof = (
            self._format.prove({"complete": True, "rows": self._rows, **self._entries}) if self._format.prove else b""
        )
        return proof + await super().end()


def write_text(value: object) -> str | None:
    """Return a text column's value as text; other programs may have stored any type, which is written as JSON.

    What JSON writes as null gives None; a value without a JSON form, such as an ObjectId, gives its `str`.
    """
    if value is None or isinstance(value, str):
        return value
    written = orjson.dumps(value, default=str)
    text = orjson.loads(written) if written.startswith(b'"') else written.decode()
    return None if text == "null" else text


def _encode_json(rows: list[Row]) -> bytes:
    return orjson.dumps(rows, default=str)[1:-1]


def _encode_ndjson(rows: list[Row]) -> bytes:
    return b"".join(orjson.dumps(row, default=str, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def _count_ndjson(part: bytes) -> int:
    return part.count(b"\n")


def _prove_ndjson(proof: Mapping[str, object]) -> bytes:
    return orjson.dumps(proof, option=orjson.OPT_APPEND_NEWLINE)


class _Lines(list[str]):
    """The file that a CSV writer writes to, a line at a time."""

    def write(self, line: str) -> None:
        self.append(line)


def _encode_csv(rows: list[Row]) -> bytes:
    lines = _Lines()
    # The writer quotes values that contain a character of its line terminator. The # is in it, and removed below, so
    # that such values are quoted: a reader that skips the trailer as a comment would cut other lines at a bare #.
    csv.writer(lines, lineterminator="#\r\n").writerows(
        [[_neutralise(row.get(name)) for name in FIELDS] for row in rows]
    )
    return "".join(f"{line[:-3]}\r\n" for line in lines).encode()


def _neutralise(value: object) -> object:
    """Return numbers unchanged, and text so that no spreadsheet reads it as a formula."""
    if type(value) is not str:
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return value
        value = write_text(value)
    return f"'{value}" if value and value[0] in _FORMULA_STARTS else value


def _count_csv(part: bytes) -> int:
    # Every second piece is inside quotes, where a line break is data.
    return sum(piece.count(b"\r\n") for piece in part.split(b'"')[::2])


def _prove_csv(proof: Mapping[str, object]) -> bytes:
    """Build a record with as many fields as the others (RFC 4180), whose leading # marks it as a comment."""
    entries = [f"{name}={orjson.dumps(value).decode().strip(chr(34))}" for name, value in proof.items()]
    cells = [f"#{entries[0]}", *entries[1:]]
    return ",".join([*cells, *[""] * (len(FIELDS) - len(cells))]).encode() + b"\r\n"


JSON = RowFormat("application/json", b"[", b",", b"]", _encode_json)
NDJSON = RowFormat("application/x-ndjson", b"", b"", b"", _encode_ndjson, _count_ndjson, _prove_ndjson)
# RFC 4180: a header line, CRLF line ends, quotes where a value contains a comma, a quote or a line break.
CSV = RowFormat(
    "text/csv; charset=utf-8; header=present",
    ",".join(FIELDS).encode() + b"\r\n",
    b"",
    b"",
    _encode_csv,
    _count_csv,
    _prove_csv,
)


class RowStream(StreamResponse):
    """Streams encoded batches as they arrive; cancelling it closes them, which ends the query.

    If the query fails midway, the exception breaks the connection before the last chunk: the client sees an incomplete
    body, never one that looks complete but is shorter.
    """

    def __init__(
        self, body: Body, first: bytes, rest: AsyncGenerator[bytes, None], *, media_type: str, headers: dict[str, str]
    ) -> None:
        """Take the first batch, read in advance so that a failing query gets an error response, and the others."""
        super().__init__(media_type=media_type, headers=headers)
        self._body = body
        self._first = first
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - RequestMiddleware receives
        slot: Slot = scope["state"]["slot"]
        with slot.release_after(_LONG_SECONDS):
            async with aclosing(self._rest) as rest:
                await self.start(send)
                # For HEAD too, although its body is dropped: the compression headers depend on the first part.
                await send_part(send, await self._body.add(self._first))
                if not scope["state"]["is_head"]:
                    async for part in rest:
                        if written := await self._body.add(part):
                            await send_part(send, written)
            await send_part(send, await self._body.end(), more=False)
