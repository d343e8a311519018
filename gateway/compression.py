"""Compresses responses for clients that accept it (RFC 9110, section 8.4), streamed ones part by part.

It must not hold a part back, nor complete a body that breaks off: the client must see that it is incomplete.
"""

import asyncio
import zlib
from collections.abc import Callable
from typing import NamedTuple, Protocol

from isal import isal_zlib
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from zstandard import COMPRESSOBJ_FLUSH_BLOCK, ZstdCompressor

from gateway.negotiation import choose_coding

# A smaller response fits into one packet with its head, uncompressed.
MINIMUM_BYTES = 1_000
# Compressing a slice takes 2 to 4 ms; the event loop runs other tasks in between.
_SLICE_BYTES = 1_000_000
# The best levels for JSON of 1.3 MB over networks of 1 Gbit/s and 100 Mbit/s; both are faster than 250 MB/s. To reach
# the same size, zlib takes five times as long as this gzip, Brotli three times as long as Zstandard.
_ZSTD_LEVEL = 3
_GZIP_LEVEL = 2
_GZIP_WINDOW = zlib.MAX_WBITS + 16  # zlib's notation for the gzip format
_PARTIAL_CONTENT = 206
_PARQUET = b"application/vnd.apache.parquet"
_VARY = (b"vary", b"Accept-Encoding")


class _Compressor(Protocol):
    def compress(self, data: memoryview, /) -> bytes: ...
    def flush(self, mode: int = ..., /) -> bytes: ...


class _Coding(NamedTuple):
    """How to start a body of so many bytes, -1 if unknown, and which flush emits all input so far."""

    begin: Callable[[int], _Compressor]
    flush_mode: int


_CODINGS = {
    "zstd": _Coding(lambda size: ZstdCompressor(_ZSTD_LEVEL).compressobj(size), COMPRESSOBJ_FLUSH_BLOCK),
    "gzip": _Coding(
        lambda _size: isal_zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW), isal_zlib.Z_SYNC_FLUSH
    ),
}
# The first if a client has no preference.
_OFFERS = tuple(_CODINGS)


class CompressionMiddleware:
    """Compresses large enough responses by Zstandard (RFC 8878) or gzip (RFC 1952), for clients that accept it.

    The gateway's content compresses well: text, a font, or columns. Content that is already compressed, such as
    Parquet, passes unchanged, and so does a range of a file, whose offsets refer to the plain file.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        accepted = [value for name, value in scope["headers"] if name == b"accept-encoding"]
        coding, is_demanded = choose_coding(b",".join(accepted), _OFFERS) if accepted else (None, False)
        if coding is None:

            async def send_plain(message: Message) -> None:
                if message["type"] == "http.response.start":
                    message["headers"].append(_VARY)
                await send(message)

            await self._app(scope, receive, send_plain)
        else:
            minimum = 1 if is_demanded else MINIMUM_BYTES
            await self._app(scope, receive, _Answer(send, coding, minimum).send)


class _Answer:
    """One response being sent; its head is held until the first part decides whether it is compressed."""

    def __init__(self, send: Send, coding: str, minimum: int) -> None:
        self._send = send
        self._coding = coding
        self._minimum = minimum
        self._head: Message | None = None
        self._compressor: _Compressor | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"].append(_VARY)
            self._head = message
            return
        head, self._head = self._head, None
        if head is not None and self._is_compressed(head, message):
            is_whole = not message.get("more_body")
            self._compressor = _CODINGS[self._coding].begin(len(message["body"]) if is_whole else -1)
            message = await self._compress(message, self._compressor)
            _describe(head, self._coding, len(message["body"]) if is_whole else None)
        elif self._compressor is not None:
            message = await self._compress(message, self._compressor)
        if head is not None:
            await self._send(head)
        await self._send(message)

    def _is_compressed(self, head: Message, first: Message) -> bool:
        """Whether to compress a response. A part holds all that is ready: a small first one is taken for the whole."""
        return (
            len(first.get("body", b"")) >= self._minimum
            and head["status"] != _PARTIAL_CONTENT
            and not any(name == b"content-encoding" or value == _PARQUET for name, value in head["headers"])
        )

    async def _compress(self, part: Message, compressor: _Compressor) -> Message:
        body = memoryview(part.get("body", b""))
        has_more = part.get("more_body", False)
        pieces = []
        for start in range(0, len(body), _SLICE_BYTES):
            if start:
                await asyncio.sleep(0)
            pieces.append(compressor.compress(body[start : start + _SLICE_BYTES]))
        pieces.append(compressor.flush(_CODINGS[self._coding].flush_mode) if has_more else compressor.flush())
        return {**part, "body": b"".join(pieces)}


def _describe(head: Message, coding: str, length: int | None) -> None:
    """Adapt the headers to the compressed body."""
    headers = MutableHeaders(raw=head["headers"])
    headers["content-encoding"] = coding
    del headers["content-length"]
    if length is not None:
        headers["content-length"] = str(length)
    # Ranges would refer to the plain body.
    del headers["accept-ranges"]
    etag = headers.get("etag")
    if etag is not None and not etag.startswith("W/"):
        # RFC 9110, section 8.8.1: the same content in other bytes.
        headers["etag"] = f"W/{etag}"
