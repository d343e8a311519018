"""Batches of documents as the server sent them, decoded only when somebody wants their rows.

The driver would decode each reply before it asks for the next one, and the server would wait meanwhile: a tenth of the
time that a list takes. Nothing here knows a document's fields.
"""

import asyncio
import struct
from collections.abc import Mapping
from typing import Any, TypeAlias

from bson import decode
from bson.codec_options import CodecOptions
from pymongo.asynchronous.cursor import AsyncCursor
from pymongo.message import _OpMsg

Document: TypeAlias = dict[str, Any]
Items: TypeAlias = "list[Batch | Document]"

_SIZE = struct.Struct("<i")
# A reply begins with its size, `cursor` and its size, and a batch and its size (https://bsonspec.org/spec.html).
_CURSOR = b"\x03cursor\x00"
_INNER_AT = _SIZE.size + len(_CURSOR)
_BATCH_AT = _INNER_AT + _SIZE.size
_BATCHES = {"firstBatch": b"\x04firstBatch\x00", "nextBatch": b"\x04nextBatch\x00"}
_EMPTY = b"\x05\x00\x00\x00\x00"
_ROWS = b"\x04rows\x00"


class Batch:
    """The documents of one reply, at least one."""

    __slots__ = ("_array",)

    def __init__(self, array: bytes | memoryview) -> None:
        """Take an array in BSON."""
        self._array = array

    def decode(self, options: CodecOptions[Document]) -> list[Document]:
        """Give the documents."""
        size = _SIZE.pack(_SIZE.size + len(_ROWS) + len(self._array) + 1)
        rows: list[Document] = decode(b"".join((size, _ROWS, self._array, b"\0")), options)["rows"]
        return rows


class BatchCursor(AsyncCursor[Document]):
    """A cursor that gives batches, or documents, as any cursor does, where a server lays its replies out otherwise."""

    def ask_for(self, rows: int) -> None:
        """Set the rows of each batch from the next one on; the driver's `batch_size` would set the first one's too."""
        self._batch_size = rows

    async def read_batch(self) -> Items:
        """Give what one reply of the server holds, or nothing after the last."""
        items: Items = []
        try:
            # `to_list` would gather as many rows from several replies, of up to 16 MB each where documents are large.
            await self._next_batch(items)
        finally:
            _check_cancellation()
        return items

    async def read_ahead(self, read: "asyncio.Queue[Items | Exception]") -> None:
        """Put the batches into a queue as they come, and last what ends them: an empty batch, or the error."""
        try:
            while batch := await self.read_batch():
                await read.put(batch)
        except Exception as error:  # noqa: BLE001 - raised again where the batches are waited for
            await read.put(error)
        else:
            await read.put([])

    def _unpack_response(
        self,
        response: _OpMsg,
        cursor_id: int | None,
        codec_options: CodecOptions[Mapping[str, Any]],
        user_fields: Mapping[str, Any] | None = None,
        legacy_response: bool = False,  # noqa: FBT001, FBT002 - the driver's own
    ) -> Any:  # noqa: ANN401 - as above
        if (reply := find_batch(response.raw_command_response())) is not None:
            return [reply]
        return super()._unpack_response(response, cursor_id, codec_options, user_fields, legacy_response)


def _check_cancellation() -> None:
    """Give up in a task that was cancelled and has not noticed: nobody takes what it goes on to read.

    `asyncio.wait_for` of Python 3.11, by which the driver connects, loses a cancellation that comes in the turn of the
    event loop in which the connection is there (https://github.com/python/cpython/issues/86296).
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def find_batch(reply: bytes | memoryview) -> Document | None:
    """Give a reply decoded but for its documents, which are one batch or none; None if it does not begin with them.

    The batch is a part of the reply, not a copy.
    """
    reply = memoryview(reply)
    if reply[_SIZE.size : _INNER_AT] != _CURSOR:
        return None
    for name, element in _BATCHES.items():
        start = _BATCH_AT + len(element)
        if reply[_BATCH_AT:start] == element:
            end = start + _SIZE.unpack_from(reply, start)[0]
            whole, inner = (_SIZE.unpack_from(reply, place)[0] - (end - _BATCH_AT) for place in (0, _INNER_AT))
            rest = decode(b"".join((_SIZE.pack(whole), _CURSOR, _SIZE.pack(inner), reply[end:])))
            array = reply[start:end]
            rest["cursor"][name] = [] if array == _EMPTY else [Batch(array)]
            return rest
    return None
