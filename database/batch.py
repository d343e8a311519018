"""Batches of documents as raw BSON, decoded only when their rows are needed. Nothing here knows a document's fields.

The driver's own cursor decodes each reply before it requests the next: the server idles for a tenth of a list's time.
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
# A reply begins with its size, then `cursor` and its size, then a batch and its size (https://bsonspec.org/spec.html).
_CURSOR = b"\x03cursor\x00"
_INNER_AT = _SIZE.size + len(_CURSOR)
_BATCH_AT = _INNER_AT + _SIZE.size
_BATCHES = {"firstBatch": b"\x04firstBatch\x00", "nextBatch": b"\x04nextBatch\x00"}
_EMPTY = b"\x05\x00\x00\x00\x00"
_ROWS = b"\x04rows\x00"


class Batch:
    """The documents of one reply; never empty."""

    __slots__ = ("_array",)

    def __init__(self, array: bytes | memoryview) -> None:
        """Hold a BSON array of documents."""
        self._array = array

    def decode(self, options: CodecOptions[Document]) -> list[Document]:
        """Return the decoded documents."""
        size = _SIZE.pack(_SIZE.size + len(_ROWS) + len(self._array) + 1)
        rows: list[Document] = decode(b"".join((size, _ROWS, self._array, b"\0")), options)["rows"]
        return rows


class BatchCursor(AsyncCursor[Document]):
    """A cursor that returns raw batches, or decoded documents if the server lays out its replies differently."""

    def set_batch_size(self, rows: int) -> None:
        """Set the size of the batches from the next one on; the driver's `batch_size` would set the first one's too."""
        self._batch_size = rows

    async def read_batch(self) -> Items:
        """Return the contents of one reply; empty after the last."""
        items: Items = []
        try:
            # `to_list` would collect several replies to reach a row count, each up to 16 MB if documents are large.
            await self._next_batch(items)
        finally:
            _check_cancellation()
        return items

    async def read_ahead(self, read: "asyncio.Queue[Items | Exception]") -> None:
        """Put each batch into a queue as it arrives; the last item is an empty batch, or the error raised."""
        try:
            while batch := await self.read_batch():
                await read.put(batch)
        except Exception as error:  # noqa: BLE001 - the consumer of the queue raises it again
            await read.put(error)
        else:
            await read.put([])

    def _unpack_response(
        self,
        response: _OpMsg,
        cursor_id: int | None,
        codec_options: CodecOptions[Mapping[str, Any]],
        user_fields: Mapping[str, Any] | None = None,
        legacy_response: bool = False,  # noqa: FBT001, FBT002 - the driver's signature
    ) -> Any:  # noqa: ANN401 - as above
        if (reply := find_batch(response.raw_command_response())) is not None:
            return [reply]
        return super()._unpack_response(response, cursor_id, codec_options, user_fields, legacy_response)


def _check_cancellation() -> None:
    """Raise CancelledError if this task was cancelled and the cancellation was lost: nobody will consume its result.

    In Python 3.11 `asyncio.wait_for`, which the driver connects with, loses a cancellation that arrives in the same
    event loop iteration as the connection (https://github.com/python/cpython/issues/86296).
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def find_batch(reply: bytes | memoryview) -> Document | None:
    """Decode a reply, except its documents: they become one Batch, or an empty list if there are none.

    Return None if the reply does not begin with its documents. The Batch is a view of the reply, not a copy.
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
