"""The collection's change stream, one cursor at a time: where it begins, how it is read on, and how it ends.

What the changes mean, and when one is missed, is said by change_tail.py and shared_stream.py, which read it.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from bson.codec_options import CodecOptions
from bson.timestamp import Timestamp
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import ConnectionFailure, CursorNotFound, OperationFailure, PyMongoError

from database.index import COLLECTION
from database.monitor import UPKEEP
from database.patience import answered_within

Change: TypeAlias = Mapping[str, Any]
Token: TypeAlias = Mapping[str, Any]

_CLOSE_SECONDS = 1.0
# Beyond, what was sent or its answer is lost on the way. To find where it begins the server may read much.
_LONGEST_READING_SECONDS = 10.0
_LONGEST_OPENING_SECONDS = 60.0
# A token's `_data` is a KeyString in hexadecimal: the type of a timestamp, its seconds, and its number in the second.
_TIMESTAMP = "82"
_TOKEN_DIGITS = 18


class StreamEndedError(Exception):
    """The stream cannot tell every change; the message says why."""


class Reading(NamedTuple):
    """What one reply of the server holds.

    Attributes:
        changes: in their order.
        token: all changes up to it were given, by this reading or those before it.
        time: the server's own, when it answered.
        has_ended: whether the collection was dropped or renamed; the stream can be opened again after the token.
    """

    changes: Sequence[Change]
    token: Token
    time: Timestamp
    has_ended: bool


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """What a stream is told.

    Attributes:
        options: of the stage `$changeStream`, but for where it begins.
        stages: what follows it; a change's `_id` must stay as it is, or the server refuses to go on.
        batch: most changes of a reading.
        wait_ms: how long a reading waits for a change.
        codec: how changes are decoded.
    """

    options: Mapping[str, Any]
    stages: tuple[Mapping[str, Any], ...]
    batch: int
    wait_ms: int
    codec: CodecOptions[dict[str, Any]]


class ChangeStream:
    """One cursor, opened when it is first read, and again after a failure; `open_stream` closes it."""

    def __init__(
        self, client: AsyncMongoClient[dict[str, Any]], database: str, plan: StreamPlan, session: AsyncClientSession
    ) -> None:
        self._database = client[database]
        self._plan = plan
        self._session = session
        self._cursor = 0

    async def read(self, begin: Mapping[str, Any]) -> Reading:
        """Give what comes next; without a cursor, of what the options `begin` say, such as `startAfter`.

        Raises:
            PyMongoError: there is no cursor any more; `is_passing` says whether the next reading may succeed.
        """
        plan = self._plan
        if self._cursor:
            command: dict[str, Any] = {"getMore": self._cursor, "collection": COLLECTION, "batchSize": plan.batch}
            command["maxTimeMS"] = plan.wait_ms
        else:
            pipeline = [{"$changeStream": {**begin, **plan.options}}, *plan.stages]
            command = {"aggregate": COLLECTION, "pipeline": pipeline, "cursor": {"batchSize": plan.batch}}
        try:
            async with answered_within(_LONGEST_READING_SECONDS if self._cursor else _LONGEST_OPENING_SECONDS):
                reply = await self._database.command(
                    command, session=self._session, codec_options=plan.codec, comment=UPKEEP
                )
        except PyMongoError:
            self._cursor = 0
            raise
        cursor = reply["cursor"]
        self._cursor = cursor["id"]
        changes = cursor["firstBatch"] if "firstBatch" in cursor else cursor["nextBatch"]
        return Reading(changes, cursor["postBatchResumeToken"], reply["operationTime"], not self._cursor)

    async def kill(self) -> None:
        """Have the server forget the cursor."""
        if self._cursor:
            with suppress(PyMongoError, TimeoutError):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    command = {"killCursors": COLLECTION, "cursors": [self._cursor]}
                    await self._database.command(command, session=self._session, comment=UPKEEP)
            self._cursor = 0


@asynccontextmanager
async def open_stream(
    client: AsyncMongoClient[dict[str, Any]], database: str, plan: StreamPlan
) -> AsyncIterator[ChangeStream]:
    """Give a stream of the collection's changes for the time of the block; nothing is asked before it is read."""
    async with client.start_session(causal_consistency=False) as session:
        stream = ChangeStream(client, database, plan, session)
        try:
            yield stream
        finally:
            await stream.kill()


def is_passing(error: BaseException | None) -> bool:
    """Whether the stream can be taken up again where it was, on this server or the next primary."""
    if isinstance(error, OperationFailure):
        return isinstance(error, CursorNotFound) or error.has_error_label("ResumableChangeStreamError")
    return isinstance(error, ConnectionFailure)


def read_moment(token: Token) -> Timestamp:
    """Give the cluster time of a resume token; raises StreamEndedError where it has another form than is known."""
    data = token.get("_data")
    if not isinstance(data, str) or not data.startswith(_TIMESTAMP) or len(data) < _TOKEN_DIGITS:
        raise StreamEndedError("the server's resume tokens have a form that is not known")
    return Timestamp(int(data[2:10], 16), int(data[10:18], 16))
