"""Rows as bytes: JSON, NDJSON and CSV, a batch at a time, and the response that streams them in constant memory."""

import csv
import io
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from database.query import FIELDS
from database.repository import Row


@dataclass(frozen=True, slots=True)
class RowFormat:
    """How rows are written: what comes first, between batches and last, and each batch."""

    media_type: str
    head: bytes
    separator: bytes
    tail: bytes
    encode: Callable[[list[Row]], bytes]

    def encode_all(self, rows: list[Row]) -> bytes:
        """Give a whole body of rows."""
        return self.head + self.encode(rows) + self.tail


def _encode_json(rows: list[Row]) -> bytes:
    return orjson.dumps(rows, default=str)[1:-1]


def _encode_ndjson(rows: list[Row]) -> bytes:
    return b"".join(orjson.dumps(row, default=str, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def _encode_csv(rows: list[Row]) -> bytes:
    text = io.StringIO()
    csv.DictWriter(text, FIELDS, restval="", extrasaction="ignore").writerows(rows)
    return text.getvalue().encode()


JSON = RowFormat("application/json", b"[", b",", b"]", _encode_json)
NDJSON = RowFormat("application/x-ndjson", b"", b"", b"", _encode_ndjson)
# RFC 4180: a header line, CRLF line ends, quotes where a value holds a comma, a quote or a line break.
CSV = RowFormat("text/csv; charset=utf-8; header=present", ",".join(FIELDS).encode() + b"\r\n", b"", b"", _encode_csv)

ROW_FORMATS = {"application/json": JSON, "application/x-ndjson": NDJSON, "text/csv": CSV}


class RowStream(Response):
    """Streams encoded batches as they come, and closes them, which ends the query, when it is cancelled.

    When the batches fail, the exception ends the connection before the last chunk: the client sees a broken body,
    never a shorter one.
    """

    def __init__(self, row_format: RowFormat, first: bytes, rest: AsyncGenerator[bytes, None]) -> None:
        """Take the first batch, already read so that a failing question has an answer of its own, and the others."""
        super().__init__(media_type=row_format.media_type, headers={"Vary": "Accept"})
        del self.headers["content-length"]
        self._format = row_format
        self._first = first
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - RequestMiddleware listens
        async with aclosing(self._rest) as rest:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            # For HEAD too, which gets none of it: what is said of the body depends on how it begins.
            await _send_part(send, self._format.head + self._first)
            if not scope["state"]["is_head"]:
                async for part in rest:
                    await _send_part(send, self._format.separator + part)
        await _send_part(send, self._format.tail, more=False)


async def _send_part(send: Send, body: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})
