"""Follow the collection's change stream from a given moment and track its position. Each worker has one.

It passes changes to its subscribers and does not interpret them.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from bson.codec_options import CodecOptions
from bson.timestamp import Timestamp
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from database.cell import build_card, build_date
from database.stream import (
    Change,
    ChangeStream,
    Reading,
    StreamEndedError,
    StreamPlan,
    Token,
    is_passing,
    open_stream,
    read_moment,
)
from database.stream_lag import StreamLag
from database.timeout import ANSWER_SECONDS, answered_within

Subscriber: TypeAlias = Callable[[Sequence[Change]], None]

# A batch is decoded and delivered without yielding to the event loop: about 5 ms.
_BATCH = 500
# The server reports the position when its wait for changes ends. A request waits for that, so this is the minimum.
_WAIT_MS = 1
# The polling interval while no caller waits; changes that accumulate meanwhile are read before the next answer.
_IDLE_SECONDS = 0.5
_RETRY_SECONDS = 1.0
# Beyond this lag, counting from scratch is cheaper.
_LONGEST_LAG_SECONDS = 30
_FIELDS = ("date", "cardType")
_CODEC: CodecOptions[dict[str, Any]] = CodecOptions(unicode_decode_error_handler="replace")


class ChangeTail:
    """Deliver each change after a given moment to every subscriber, in order and exactly once.

    A change has `operationType` and `clusterTime`; `date` and `card` of the new document and `oldDate` and `oldCard` of
    the old one, in the forms of cell.py; `has` and `had`, whether it carries the new and the old document; and
    `touches`, whether an update changes the date or the card.

    Attributes:
        position: all changes up to this cluster time were delivered, provided that the tail `is_whole`.
        is_whole: whether the stream was opened and no database transaction is only partly delivered.
    """

    def __init__(
        self,
        client: AsyncMongoClient[dict[str, Any]],
        database: str,
        start: Timestamp,
        subscribers: Sequence[Subscriber],
        note_lag: Callable[[int], None],
    ) -> None:
        """Prepare to follow the changes after `start`; `follow` sends the first command.

        Args:
            client: an open client whose user may read the collection and its changes.
            database: the name of the database.
            start: the cluster time after which changes are delivered.
            subscribers: called with the changes of each batch; an exception from one ends the tail.
            note_lag: called after each read, successful or not, with the lag of the position behind the server in whole
                seconds, and with 0 at the end.
        """
        self._client = client
        self._database = database
        self._subscribers = subscribers
        self._lag = StreamLag(note_lag)
        self._start = start
        self.position = start
        self.is_whole = False
        self._token: Token | None = None
        self._waiting = 0
        self._requested = asyncio.Event()
        self._moved = asyncio.Event()

    async def reach(self, moment: Timestamp) -> None:
        """Return once every change up to a moment has been delivered; the caller sets the timeout."""
        while self.position < moment or not self.is_whole:
            self._waiting += 1
            self._requested.set()
            try:
                await self._moved.wait()
            finally:
                self._waiting -= 1

    async def follow(self) -> None:
        """Read until cancelled, across connection losses and elections.

        Raises:
            StreamEndedError: changes may have been missed, or the position of the stream is unknown.
            PyMongoError: an error that the stream cannot resume from, such as a missing privilege.
        """
        try:
            async with open_stream(self._client, self._database, _PLAN) as stream:
                while True:
                    await self._step(stream)
        finally:
            self._lag.note_end()

    async def _step(self, stream: ChangeStream) -> None:
        # The first token points to this time, before its changes; a later start would claim changes that were not read.
        begin = {"resumeAfter": self._token} if self._token else {"startAtOperationTime": self._start}
        try:
            reading = await stream.read(begin)
        except PyMongoError as error:
            if not is_passing(error):
                raise
            self._lag.note_failure()
            await asyncio.sleep(_RETRY_SECONDS)
            return
        begun = time.monotonic()
        is_full = self._deliver(reading)
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
        if self._waiting:
            return
        if is_full:
            # Leaves half of the event loop's time to requests, even during a bulk load.
            await asyncio.sleep(time.monotonic() - begun)
            return
        self._requested.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(_IDLE_SECONDS):
                await self._requested.wait()

    def _deliver(self, reading: Reading) -> bool:
        """Deliver a batch to the subscribers and return whether more changes are waiting."""
        changes = [change for change in reading.changes if change["clusterTime"] > self._start]
        # Until every subscriber has the whole batch, their state does not reflect a single moment.
        self.is_whole = False
        for subscriber in self._subscribers:
            subscriber(changes)
        if reading.has_ended:
            raise StreamEndedError("the collection was dropped or renamed")
        self._token = reading.token
        # All changes of a database transaction share one time: after a full batch, some may still be outstanding.
        self.is_whole = len(reading.changes) < _BATCH
        self.position = read_moment(reading.token)
        lag = reading.time.time - self.position.time
        self._lag.note_reading(lag)
        if not self.is_whole and lag > _LONGEST_LAG_SECONDS:
            raise StreamEndedError(f"changes come faster than they can be followed ({lag} s behind)")
        return not self.is_whole


async def check_changes(client: AsyncMongoClient[dict[str, Any]], database: str, start: Timestamp) -> None:
    """Raise the error that would end a tail from `start` at once, such as OperationFailure for a missing privilege."""
    async with open_stream(client, database, _PLAN) as stream:
        await stream.read({"startAtOperationTime": start})


async def read_time(client: AsyncMongoClient[dict[str, Any]]) -> Timestamp:
    """Return a cluster time that is not earlier than any write acknowledged before this call.

    Raises:
        StreamEndedError: the server is not the primary of a replica set.
        PyMongoError: the server does not answer.
    """
    # `ping` costs the same, but a former primary that the driver has not noticed yet would answer it too.
    async with answered_within(ANSWER_SECONDS):
        reply = await client.admin.command("hello")
    moment = reply.get("operationTime")
    if "setName" not in reply or not isinstance(moment, Timestamp):
        raise StreamEndedError("the database is not a replica set")
    if not reply["isWritablePrimary"]:
        raise StreamEndedError("the server is not the primary of its replica set")
    return moment


def _build_touches() -> dict[str, Any]:
    updated = {"$objectToArray": {"$ifNull": ["$updateDescription.updatedFields", {}]}}
    names = [
        {"$map": {"input": updated, "in": "$$this.k"}},
        {"$ifNull": ["$updateDescription.removedFields", []]},
    ]
    # The path of a nested field begins with the name of the top-level field.
    first = {"$arrayElemAt": [{"$split": ["$$this", "."]}, 0]}
    return {"$anyElementTrue": {"$map": {"input": {"$concatArrays": names}, "in": {"$in": [first, list(_FIELDS)]}}}}


_PROJECTION: dict[str, Any] = {
    "operationType": 1,
    "clusterTime": 1,
    "date": build_date("$fullDocument.date"),
    "card": build_card("$fullDocument.cardType"),
    "oldDate": build_date("$fullDocumentBeforeChange.date"),
    "oldCard": build_card("$fullDocumentBeforeChange.cardType"),
    "has": {"$eq": [{"$type": "$fullDocument"}, "object"]},
    "had": {"$eq": [{"$type": "$fullDocumentBeforeChange"}, "object"]},
    "touches": _build_touches(),
}
_PLAN = StreamPlan(
    options={"fullDocument": "whenAvailable", "fullDocumentBeforeChange": "whenAvailable"},
    stages=({"$project": _PROJECTION},),
    batch=_BATCH,
    wait_ms=_WAIT_MS,
    codec=_CODEC,
)
