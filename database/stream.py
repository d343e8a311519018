"""The collection's change stream, one cursor at a time: open it, read it, and close it.

It neither interprets changes nor decides whether one was missed: change_tail.py and shared_stream.py do.
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
from database.timeout import answered_within

Change: TypeAlias = Mapping[str, Any]
Token: TypeAlias = Mapping[str, Any]

_CLOSE_SECONDS = 1.0
# After these, the command or its reply counts as lost. Opening takes longer: the server may scan much of the oplog.
_LONGEST_READING_SECONDS = 10.0
_LONGEST_OPENING_SECONDS = 60.0
# A token's `_data` is a hexadecimal KeyString; it begins with the type of a timestamp, its seconds and its increment.
_TIMESTAMP = "82"
_TOKEN_DIGITS = 18


class StreamEndedError(Exception):
    """The stream cannot report every change; the message says why."""


class Reading(NamedTuple):
    """The contents of one reply.

    Attributes:
        changes: in order.
        token: all changes up to it are in this reading or an earlier one.
        time: the cluster time at which the server replied.
        has_ended: whether the collection was dropped or renamed; the stream can be reopened after the token.
    """

    changes: Sequence[Change]
    token: Token
    time: Timestamp
    has_ended: bool


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """The arguments of a change stream.

    Attributes:
        options: of the `$changeStream` stage, except where it begins.
        stages: the following stages; they must not modify a change's `_id`, or the server ends the stream.
        batch: the maximum number of changes in a reading.
        wait_ms: how long a reading waits for a change.
        codec: decodes the changes.
    """

    options: Mapping[str, Any]
    stages: tuple[Mapping[str, Any], ...]
    batch: int
    wait_ms: int
    codec: CodecOptions[dict[str, Any]]


class ChangeStream:
    """A change stream's cursor, opened by the first read and by the first after a failure. `open_stream` closes it."""

    def __init__(
        self, client: AsyncMongoClient[dict[str, Any]], database: str, plan: StreamPlan, session: AsyncClientSession
    ) -> None:
        self._database = client[database]
        self._plan = plan
        self._session = session
        self._cursor = 0

    async def read(self, begin: Mapping[str, Any]) -> Reading:
        """Return the next changes; if there is no cursor, open one by the options `begin`, such as `startAfter`.

        Raises:
            PyMongoError: the cursor is lost; `is_passing` says whether the next read may succeed.
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
        """Close the cursor on the server, if there is one; ignore errors."""
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
    """Open a stream of the collection's changes for the duration of the block; the first read connects it."""
    async with client.start_session(causal_consistency=False) as session:
        stream = ChangeStream(client, database, plan, session)
        try:
            yield stream
        finally:
            await stream.kill()


def is_passing(error: BaseException | None) -> bool:
    """Return whether the stream can resume where it stopped, on this server or the next primary."""
    if isinstance(error, OperationFailure):
        return isinstance(error, CursorNotFound) or error.has_error_label("ResumableChangeStreamError")
    return isinstance(error, ConnectionFailure)


def read_moment(token: Token) -> Timestamp:
    """Return the cluster time of a resume token; raise StreamEndedError if the token's form is unknown."""
    data = token.get("_data")
    if not isinstance(data, str) or not data.startswith(_TIMESTAMP) or len(data) < _TOKEN_DIGITS:
        raise StreamEndedError("the server's resume tokens have a form that is not known")
    return Timestamp(int(data[2:10], 16), int(data[10:18], 16))
