"""Follows the collection's change stream from one moment on, and knows how far it has come. One for each worker.

It hands changes on; what they mean, its subscribers decide.
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
from database.patience import ANSWER_SECONDS, answered_within
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

Subscriber: TypeAlias = Callable[[Sequence[Change]], None]

# Decoded and handed on in one piece on the event loop: about 5 ms of it.
_BATCH = 500
# The stream tells how far it has come at the end of a wait, so that a question waits for one of the shortest.
_WAIT_MS = 1
# How often the stream is read while nobody asks: what has gathered meanwhile is read before the next answer.
_IDLE_SECONDS = 0.5
_RETRY_SECONDS = 1.0
# Further behind than this, it is cheaper to count anew.
_LONGEST_LAG_SECONDS = 30
_FIELDS = ("date", "cardType")
_CODEC: CodecOptions[dict[str, Any]] = CodecOptions(unicode_decode_error_handler="replace")


class ChangeTail:
    """Follows the collection from a moment on and hands each change to every subscriber, in order and once.

    A change has `operationType` and `clusterTime`; `date` and `card` of the new document and `oldDate` and `oldCard` of
    the old one, in the forms of cell.py; whether it `has` the new and `had` the old document; and whether an update
    `touches` the date or the card.

    Attributes:
        position: all changes up to this cluster time were handed on, where the tail `is_whole`.
        is_whole: whether the stream was opened, and no transaction was handed on in part.
    """

    def __init__(
        self,
        client: AsyncMongoClient[dict[str, Any]],
        database: str,
        start: Timestamp,
        subscribers: Sequence[Subscriber],
        note_lag: Callable[[int], None],
    ) -> None:
        """Begin after `start`; nothing is asked before `follow`.

        Args:
            client: an open one, whose user may read the collection and its changes.
            database: its name.
            start: the cluster time after which changes are told.
            subscribers: who is told; none may raise but to end the tail.
            note_lag: told, at each reading and where one fails, how far the position is behind the server, in whole
                seconds; 0 at the end.
        """
        self._client = client
        self._database = database
        self._subscribers = subscribers
        self._lag = StreamLag(note_lag)
        self._start = start
        self.position = start
        self.is_whole = False
        self._token: Token | None = None
        self._asking = 0
        self._asked = asyncio.Event()
        self._moved = asyncio.Event()

    async def reach(self, moment: Timestamp) -> None:
        """Return when every change up to a moment was handed on; whoever asks limits the wait."""
        while self.position < moment or not self.is_whole:
            self._asking += 1
            self._asked.set()
            try:
                await self._moved.wait()
            finally:
                self._asking -= 1

    async def follow(self) -> None:
        """Read on until it is cancelled, through losses of the connection and elections.

        Raises:
            StreamEndedError: changes may have been missed, or there is no telling how far the stream has come.
            PyMongoError: the server cannot or may not be followed.
        """
        try:
            async with open_stream(self._client, self._database, _PLAN) as stream:
                while True:
                    await self._step(stream)
        finally:
            self._lag.note_end()

    async def _step(self, stream: ChangeStream) -> None:
        # The first token names this very time, before what has happened at it: a later one would be a false proof.
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
        is_full = self._hand_on(reading)
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
        if self._asking:
            return
        if is_full:
            # In a bulk load too, half of the event loop's time stays for the questions.
            await asyncio.sleep(time.monotonic() - begun)
            return
        self._asked.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(_IDLE_SECONDS):
                await self._asked.wait()

    def _hand_on(self, reading: Reading) -> bool:
        """Hand a batch to the subscribers, and tell whether more is waiting."""
        changes = [change for change in reading.changes if change["clusterTime"] > self._start]
        # Until all subscribers have it all, nothing that is kept is of one moment.
        self.is_whole = False
        for subscriber in self._subscribers:
            subscriber(changes)
        if reading.has_ended:
            raise StreamEndedError("the collection was dropped or renamed")
        self._token = reading.token
        # The changes of a transaction have one time: where the batch is full, some may still be to come.
        self.is_whole = len(reading.changes) < _BATCH
        self.position = read_moment(reading.token)
        lag = reading.time.time - self.position.time
        self._lag.note_reading(lag)
        if not self.is_whole and lag > _LONGEST_LAG_SECONDS:
            raise StreamEndedError(f"changes come faster than they can be followed ({lag} s behind)")
        return not self.is_whole


async def check_changes(client: AsyncMongoClient[dict[str, Any]], database: str, start: Timestamp) -> None:
    """Raise what would end a tail that begins after `start` at once, such as OperationFailure for a missing right."""
    async with open_stream(client, database, _PLAN) as stream:
        await stream.read({"startAtOperationTime": start})


async def read_time(client: AsyncMongoClient[dict[str, Any]]) -> Timestamp:
    """Give a cluster time that no write acknowledged before this call is later than.

    Raises:
        StreamEndedError: the server has none, as one that is no replica set or is not its primary.
        PyMongoError: it does not answer.
    """
    # A ping costs the same, and a member that the driver still takes for the primary would answer it.
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
    # Of the path of a field inside another the first name decides.
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
