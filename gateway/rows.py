"""Rows as bytes: JSON, NDJSON and CSV, a batch at a time, and the response that streams them in constant memory."""

import csv
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

import orjson
from starlette.types import Receive, Scope, Send

from database.query import FIELDS
from database.row import Row
from gateway.admission import Turn
from gateway.stream_response import StreamResponse, send_part

# What a spreadsheet takes for the beginning of a formula (OWASP, CSV Injection), full-width forms among it.
_FORMULA_STARTS = frozenset("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - they are meant
# An export takes as long as it has rows: whoever asks for something short does not wait for its end.
_LONG_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class RowFormat:
    """How rows are written, some at a time, the same for all who share a list: these parts follow each other in a body.

    Attributes:
        media_type: with its parameters.
        head: what comes first.
        separator: what comes between parts.
        tail: what comes last.
        encode: gives some rows as a part; at least one.
        count: gives the number of rows of a part.
        prove: gives a last line from what is to be said of the body, where the format's own end proves nothing.
    """

    media_type: str
    head: bytes
    separator: bytes
    tail: bytes
    encode: Callable[[list[Row]], bytes]
    count: Callable[[bytes], int] | None = None
    prove: Callable[[Mapping[str, object]], bytes] | None = None


class Body(Protocol):
    """What one client is sent, made of parts as they come."""

    async def add(self, part: bytes) -> bytes:
        """Give what is to be sent after a part, which only the first may lack; it may be nothing yet."""
        ...

    async def end(self) -> bytes:
        """Give what is to be sent last, by which the body is whole."""
        ...


class PlainBody:
    """A body of the parts themselves."""

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
    """A body that ends with a line which says that it is whole and how many rows it has."""

    def __init__(self, row_format: RowFormat, told: Mapping[str, object]) -> None:
        """Tell what is `told` besides."""
        super().__init__(row_format)
        self._told = told
        self._rows = 0

    async def add(self, part: bytes) -> bytes:
        if self._format.count:
            self._rows += self._format.count(part)
        return await super().add(part)

    async def end(self) -> bytes:
        proof = self._format.prove({"complete": True, "rows": self._rows, **self._told}) if self._format.prove else b""
        return proof + await super().end()


def write_text(value: object) -> str | None:
    """Give the text of what a column of text holds: other programs may have stored anything, which comes as its JSON.

    None is given for null; of what has no form in JSON, such as an ObjectId, Python's text.
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
    """What a CSV writer takes for its file; it writes a line at a time."""

    def write(self, line: str) -> None:
        self.append(line)


def _encode_csv(rows: list[Row]) -> bytes:
    lines = _Lines()
    # A text that holds a character of the line's end is written in quotes. So is one with a #, of which readers who
    # skip the last line as a comment would take the rest of the line for one, too.
    csv.writer(lines, lineterminator="#\r\n").writerows(
        [[_neutralise(row.get(name)) for name in FIELDS] for row in rows]
    )
    return "".join(f"{line[:-3]}\r\n" for line in lines).encode()


def _neutralise(value: object) -> object:
    """Give a number as it is, and a text so that no spreadsheet takes it for a formula."""
    if type(value) is not str:
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return value
        value = write_text(value)
    return f"'{value}" if value and value[0] in _FORMULA_STARTS else value


def _count_csv(part: bytes) -> int:
    # Every second piece is within quotes, where a line may break as well.
    return sum(piece.count(b"\r\n") for piece in part.split(b'"')[::2])


def _prove_csv(proof: Mapping[str, object]) -> bytes:
    """Give a record of as many fields as the others (RFC 4180) whose # is how readers know a comment."""
    told = [f"{name}={orjson.dumps(value).decode().strip(chr(34))}" for name, value in proof.items()]
    cells = [f"#{told[0]}", *told[1:]]
    return ",".join([*cells, *[""] * (len(FIELDS) - len(cells))]).encode() + b"\r\n"


JSON = RowFormat("application/json", b"[", b",", b"]", _encode_json)
NDJSON = RowFormat("application/x-ndjson", b"", b"", b"", _encode_ndjson, _count_ndjson, _prove_ndjson)
# RFC 4180: a header line, CRLF line ends, quotes where a value holds a comma, a quote or a line break.
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
    """Streams encoded batches as they come, and closes them, which ends the query, when it is cancelled.

    When the batches fail, the exception ends the connection before the last chunk: the client sees a broken body,
    never a shorter one.
    """

    def __init__(
        self, body: Body, first: bytes, rest: AsyncGenerator[bytes, None], *, media_type: str, headers: dict[str, str]
    ) -> None:
        """Take the first batch, already read so that a failing question has an answer of its own, and the others."""
        super().__init__(media_type=media_type, headers=headers)
        self._body = body
        self._first = first
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - RequestMiddleware listens
        turn: Turn = scope["state"]["turn"]
        with turn.give_way(_LONG_SECONDS):
            async with aclosing(self._rest) as rest:
                await self.start(send)
                # For HEAD too, which gets none of it: what is said of the body depends on how it begins.
                await send_part(send, await self._body.add(self._first))
                if not scope["state"]["is_head"]:
                    async for part in rest:
                        if written := await self._body.add(part):
                            await send_part(send, written)
            await send_part(send, await self._body.end(), more=False)
