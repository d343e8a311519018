"""Runs plans against the collection and gives rows, their card numbers masked unless told otherwise.

What a question asks for, its plan has decided.
"""

import asyncio
import copy
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, nullcontext, suppress
from functools import partial
from typing import Any, Self, TypeAlias

from bson.codec_options import CodecOptions, DatetimeConversion, TypeRegistry
from bson.decimal128 import DecimalDecoder
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import OperationFailure, PyMongoError

from database.batch import Batch, BatchCursor, Items
from database.client import POOL_SIZE, translated_errors
from database.errors import (
    DatabaseTimeoutError,
    DatabaseUnavailableError,
    InvalidTimeZoneError,
    OverloadedError,
    QueryEndedError,
)
from database.index import COLLECTION
from database.kept_rows import KeptRows
from database.meter import METER, wait_for_another
from database.query import CountPlan, FindPlan, TransactionFilter
from database.rollup import Rollup
from database.row import Row, shape_rows
from database.shared_pages import SharedPages
from database.summary import SummaryPlan
from database.trail import Trail

NoteBatch: TypeAlias = Callable[[list[Row]], None]

# A batch is decoded and encoded in one piece on the event loop: 1,000 documents take about 5 ms of it.
BATCH_ROWS = 1_000
# Of a whole list: its first bytes wait for no more, and the server works on the next while these are written.
FIRST_ROWS = 100
_UNKNOWN_TIME_ZONE = 40485
_LONGEST_WAIT_SECONDS = 5
_LONGEST_KILL_SECONDS = 1
# Beyond the server's own time: the wait for a slot, and the driver's for a server.
_GRACE_SECONDS = _LONGEST_WAIT_SECONDS + 3
# Each waits some seconds for a server: together longer than an election, which takes 10 to 12 by MongoDB's defaults.
_MOST_RESUMPTIONS = 5
# A summary reads all of its transactions: of a million it takes about as long as a page is given.
_SUMMARY_TIMES = 3

# A foreign document may hold dates and bytes that Python's types do not: they must not fail a whole answer.
CODEC: CodecOptions[Row] = CodecOptions(
    datetime_conversion=DatetimeConversion.DATETIME_AUTO, unicode_decode_error_handler="replace"
)
_EXACT_CODEC = CODEC.with_options(type_registry=TypeRegistry([DecimalDecoder()]))


def _plan_batches(limit: int) -> tuple[int, int]:
    """Give the rows of a plan's first batch and of each other; a limit of 0 is none."""
    if not limit:
        return FIRST_ROWS, BATCH_ROWS
    # Even ones, so that none is fetched for a page's one row more.
    rows = max(BATCH_ROWS, limit) / math.ceil(limit / BATCH_ROWS)
    return math.ceil(rows), math.ceil(rows)


class TransactionRepository:
    """The transactions of one database.

    Every method raises `DatabaseUnavailableError`, `DatabaseTimeoutError` or `DatabaseRefusedError` when the server
    is away, too slow, or refuses, and `OverloadedError` when too many questions wait.
    """

    def __init__(
        self,
        client: AsyncMongoClient[Row],
        database: str,
        *,
        timeout_ms: int,
        rollup: Rollup | None = None,
        most_summaries: int = 4,
    ) -> None:
        """Use an open client.

        Args:
            client: an open one.
            database: its name.
            timeout_ms: bounds the server's work on a page or a count, and three times over on a summary, but not on an
                unlimited list.
            rollup: asked for a count first, if there is one.
            most_summaries: how many are asked for at a time; others wait.
        """
        self._client = client
        self._collection: AsyncCollection[Row] = client[database].get_collection(COLLECTION, codec_options=CODEC)
        self._timeout_ms = timeout_ms
        # No more than the pool has connections: beyond, the batches of lists that were begun would wait behind them. A
        # pool of 0 is one without a limit.
        self._slots = asyncio.Semaphore(int(min(POOL_SIZE, client.options.pool_options.max_pool_size or POOL_SIZE)))
        self._summaries = asyncio.Semaphore(most_summaries)
        self._rollup = rollup
        self._is_masking = True
        self._pages = SharedPages(self.find_rows)

    def reveal_cards(self) -> Self:
        """Give the same repository for a caller who may see whole card numbers."""
        revealing = copy.copy(self)
        revealing._is_masking = False  # noqa: SLF001 - it is of this class
        revealing._pages = SharedPages(revealing.find_rows)  # noqa: SLF001 - as above
        return revealing

    async def find_rows(self, plan: FindPlan) -> list[Row]:
        """Give all rows of a plan, which should have a limit, in the order of its answer."""
        rows = await (await self.find_kept_rows(plan)).load()
        return rows[::-1] if plan.reverse else rows

    async def find_kept_rows(self, plan: FindPlan, note_batch: NoteBatch | None = None) -> KeptRows:
        """Give all rows of a plan, which should have a limit, in the order of reading.

        `note_batch` is called with each batch while the server prepares the next one; what it has seen is then kept as
        the server sent it.
        """
        kept = KeptRows()
        async with self._bounded(), aclosing(self._read(plan, self._begin())) as batches:
            async for items in batches:
                rows = self._shape(items)
                if note_batch is None:
                    kept.add(rows, partial(list, rows))
                    continue
                kept.add(rows, partial(self._decode, items))
                note_batch(rows)
                # The next ones take their place in the processor's cache.
                del rows
        return kept

    async def find_newest(self, wanted: TransactionFilter, limit: int, fields: frozenset[str]) -> list[Row] | None:
        """Give the newest rows of a filter, read once for all who ask at the same time; None: read them alone."""
        return await self._pages.find(wanted, limit, fields) if limit <= BATCH_ROWS + 1 else None

    async def open_batches(self, plan: FindPlan, trail: Trail | None = None) -> AsyncGenerator[list[Row], None]:
        """Give the rows of an ordered plan without a limit, some at a time; close it to end the query.

        A trail of the plan says how far it was read before; what is left is given.
        Where the server goes away the list goes on at the one that answers next: each row comes once.
        """
        rest: FindPlan | None = plan if trail is None else trail.find_rest()
        # A list that was begun must be able to go on without a slot.
        begin: AbstractAsyncContextManager[None] = self._begin() if trail is None else nullcontext()
        trail = trail or Trail(plan)
        if rest is None:
            raise QueryEndedError("The list cannot go on: too many rows share one date.")
        for resumptions_left in range(_MOST_RESUMPTIONS, -1, -1):
            try:
                async with aclosing(self._read(rest, begin)) as batches:
                    async for items in batches:
                        if new := trail.follow(self._shape(items)):
                            yield new
            except DatabaseUnavailableError as error:
                left = trail.find_rest()
                if isinstance(error, QueryEndedError) or left is None or not resumptions_left:
                    raise
                rest, begin = left, nullcontext()
            else:
                return

    async def _read(self, plan: FindPlan, begin: AbstractAsyncContextManager[None]) -> AsyncGenerator[Items, None]:
        first_rows, other_rows = _plan_batches(plan.limit)
        with translated_errors():
            async with self._client.start_session(causal_consistency=False) as session:
                cursor = BatchCursor(
                    self._collection,
                    plan.filter,
                    plan.projection,
                    sort=list(plan.sort),
                    limit=plan.limit,
                    collation=plan.collation,
                    batch_size=first_rows,
                    max_time_ms=self._timeout_ms if plan.limit else None,
                    session=session,
                )
                read: asyncio.Queue[Items | Exception] = asyncio.Queue(maxsize=1)
                reader: asyncio.Task[None] | None = None
                try:
                    async with begin:
                        async with self._killed_when_given_up(session):
                            batch: Items | Exception = await cursor.read_batch()
                        if not batch:
                            return
                        if cursor.alive:
                            cursor.ask_for(other_rows)
                            reader = asyncio.create_task(cursor.read_ahead(read))
                            # It asks for the next batch before this one is worked on, and before the slot is free, or
                            # another question would begin on the connection that this one goes on with.
                            await asyncio.sleep(0)
                    while batch:
                        if isinstance(batch, Exception):
                            raise batch
                        yield batch
                        batch = await read.get() if reader else []
                finally:
                    if reader is not None:
                        reader.cancel()
                        await asyncio.wait([reader])
                    await cursor.close()

    @asynccontextmanager
    async def _killed_when_given_up(self, session: AsyncClientSession) -> AsyncIterator[None]:
        """End what the server does for a first batch that is given up: its cursor's number is not known here yet."""
        try:
            yield
        except asyncio.CancelledError:
            with suppress(PyMongoError, TimeoutError):
                async with asyncio.timeout(_LONGEST_KILL_SECONDS):
                    await self._client.admin.command("killSessions", [session.session_id])
            raise

    async def count(self, plan: CountPlan) -> int:
        """Give the exact number of documents that a plan's filter holds."""
        options: dict[str, Any] = {"collation": plan.collation, "hint": plan.hint, "maxTimeMS": self._timeout_ms}
        with translated_errors():
            async with self._bounded():
                if self._rollup and plan.window and (known := await self._rollup.find_count(plan.window)) is not None:
                    return known
                async with self._begin():
                    return await self._collection.count_documents(
                        plan.filter, **{name: value for name, value in options.items() if value is not None}
                    )

    async def summarize(self, plan: SummaryPlan) -> list[Row]:
        """Give a plan's groups, their decimals as Python's.

        Raises:
            InvalidTimeZoneError: the server does not know the time zone; besides those that every method raises.
        """
        # It may take half a minute, all of it the server's work: nobody else's question waits for its end.
        with wait_for_another(), translated_errors():
            async with (
                self._summaries,
                self._bounded(_SUMMARY_TIMES),
                self._begin(),
                self._client.start_session(causal_consistency=False) as session,
            ):
                options: dict[str, Any] = {"collation": plan.collation, "maxTimeMS": _SUMMARY_TIMES * self._timeout_ms}
                try:
                    async with self._killed_when_given_up(session):
                        exact = self._collection.with_options(_EXACT_CODEC)
                        return await (await exact.aggregate(plan.pipeline, session=session, **options)).to_list()
                except OperationFailure as error:
                    if error.code == _UNKNOWN_TIME_ZONE:
                        message = "timeZone is not one that the database knows; give a name that its version has too."
                        raise InvalidTimeZoneError(message) from error
                    raise

    @asynccontextmanager
    async def _begin(self) -> AsyncIterator[None]:
        """Wait for a slot to begin a question in, and say so rather than wait too long."""
        try:
            async with asyncio.timeout(_LONGEST_WAIT_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            raise OverloadedError("More questions are waiting than can be begun; try again later.") from None
        try:
            yield
        finally:
            self._slots.release()

    @asynccontextmanager
    async def _bounded(self, times: int = 1) -> AsyncIterator[None]:
        """Give up on a server that does not keep to the time itself, as one whose disk hangs cannot."""
        try:
            async with asyncio.timeout(times * self._timeout_ms / 1000 + _GRACE_SECONDS):
                yield
        except TimeoutError:
            raise DatabaseTimeoutError("The database did not answer in time.") from None

    async def check(self) -> None:
        """Return when the server answers and lets this user read the transactions; raise as the other methods do."""
        with translated_errors():
            await self._collection.find_one({}, {"_id": 1}, max_time_ms=self._timeout_ms)

    def _shape(self, items: Items) -> list[Row]:
        """Give the documents of a reply that has just been read, as the caller may see them, and count them."""
        rows = self._decode(items)
        if meter := METER.get():
            meter.rows += len(rows)
        return rows

    def _decode(self, items: Items) -> list[Row]:
        rows = [row for item in items for row in (item.decode(CODEC) if isinstance(item, Batch) else (item,))]
        return shape_rows(rows, is_masking=self._is_masking)
