"""Run plans against the collection and return rows, with masked card numbers by default.

It must not decide what to query: that is the plan's part.
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
from database.resume_point import ResumePoint
from database.rollup import Rollup
from database.row import Row, shape_rows
from database.shared_pages import SharedPages
from database.summary import SummaryPlan

NoteBatch: TypeAlias = Callable[[list[Row]], None]

# A batch is decoded and encoded without yielding to the event loop: 1,000 documents take about 5 ms.
BATCH_ROWS = 1_000
# The first batch of an unlimited list: small, so that it is sent early, while the server prepares the next one.
FIRST_ROWS = 100
_UNKNOWN_TIME_ZONE = 40485
_LONGEST_WAIT_SECONDS = 5
_LONGEST_KILL_SECONDS = 1
# Added to the server's time limit: the wait for a slot, and the driver's wait for a server.
_GRACE_SECONDS = _LONGEST_WAIT_SECONDS + 3
# Each waits some seconds for a server: in total longer than an election, 10 to 12 s with MongoDB's defaults.
_MOST_RESUMPTIONS = 5
# Decoding a decimal takes 5 µs, a reply is decoded without yielding, and a group has up to 13 decimals per currency.
_SUMMARY_BATCH = 100
# A summary reads all of its transactions: for a million it takes about as long as the timeout of a page.
_SUMMARY_TIMES = 3

# Documents of other programs may hold dates or bytes that Python cannot represent: they must not fail the response.
CODEC: CodecOptions[Row] = CodecOptions(
    datetime_conversion=DatetimeConversion.DATETIME_AUTO, unicode_decode_error_handler="replace"
)
_EXACT_CODEC = CODEC.with_options(type_registry=TypeRegistry([DecimalDecoder()]))


def _plan_batches(limit: int) -> tuple[int, int]:
    """Return the sizes of a plan's first batch and of the others; a limit of 0 means no limit."""
    if not limit:
        return FIRST_ROWS, BATCH_ROWS
    # Equal batches, so that the one extra row of a page does not take a batch of its own.
    rows = max(BATCH_ROWS, limit) / math.ceil(limit / BATCH_ROWS)
    return math.ceil(rows), math.ceil(rows)


class TransactionRepository:
    """The transactions of one database.

    Every method raises `DatabaseUnavailableError`, `DatabaseTimeoutError` or `DatabaseRefusedError` if the server is
    away, too slow, or refuses, and `OverloadedError` if too many queries wait.
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
            client: an open client.
            database: the name of the database.
            timeout_ms: limits the server's work on a page or a count; a summary may take three times as long, and an
                unlimited list has no limit.
            rollup: the source of counts to try before the database, if there is one.
            most_summaries: how many summaries run concurrently; others wait.
        """
        self._client = client
        self._collection: AsyncCollection[Row] = client[database].get_collection(COLLECTION, codec_options=CODEC)
        self._timeout_ms = timeout_ms
        # At most one per connection of the pool: with more, the next batches of lists in progress would wait for them.
        # A maximum pool size of 0 means no limit.
        self._slots = asyncio.Semaphore(int(min(POOL_SIZE, client.options.pool_options.max_pool_size or POOL_SIZE)))
        self._summaries = asyncio.Semaphore(most_summaries)
        self._rollup = rollup
        self._is_masking = True
        self._pages = SharedPages(self.find_rows)

    def reveal_cards(self) -> Self:
        """Return a copy of this repository for a caller who may see whole card numbers."""
        revealing = copy.copy(self)
        revealing._is_masking = False  # noqa: SLF001 - an instance of this class
        revealing._pages = SharedPages(revealing.find_rows)  # noqa: SLF001 - as above
        return revealing

    async def find_rows(self, plan: FindPlan) -> list[Row]:
        """Return all rows of a plan, which should have a limit, in the order of the result."""
        rows = await (await self.find_kept_rows(plan)).load()
        return rows[::-1] if plan.reverse else rows

    async def find_kept_rows(self, plan: FindPlan, note_batch: NoteBatch | None = None) -> KeptRows:
        """Return all rows of a plan, which should have a limit, in reading order.

        `note_batch` is called with each batch while the server prepares the next one; with it, the rows are kept as raw
        BSON, without it decoded.
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
                # Frees the rows before the next batch, which then reuses their memory in the processor's cache.
                del rows
        return kept

    async def find_newest(self, wanted: TransactionFilter, limit: int, fields: frozenset[str]) -> list[Row] | None:
        """Return a filter's newest rows, sharing a query with concurrent callers; None: the caller must query alone."""
        return await self._pages.find(wanted, limit, fields) if limit <= BATCH_ROWS + 1 else None

    async def open_batches(self, plan: FindPlan, point: ResumePoint | None = None) -> AsyncGenerator[list[Row], None]:
        """Yield the rows of an ordered, unlimited plan in batches; close the generator to end the query.

        With a resume point, which records how far the plan was read before, only the rest is yielded.
        If the server goes away, the list continues on the next one that answers; each row is yielded exactly once.
        """
        rest: FindPlan | None = plan if point is None else point.find_rest_plan()
        # A list in progress must be able to continue without a slot.
        begin: AbstractAsyncContextManager[None] = self._begin() if point is None else nullcontext()
        point = point or ResumePoint(plan)
        if rest is None:
            raise QueryEndedError("The list cannot go on: too many rows share one date.")
        for resumptions_left in range(_MOST_RESUMPTIONS, -1, -1):
            try:
                async with aclosing(self._read(rest, begin)) as batches:
                    async for items in batches:
                        if new := point.advance(self._shape(items)):
                            yield new
            except DatabaseUnavailableError as error:
                left = point.find_rest_plan()
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
                            cursor.set_batch_size(other_rows)
                            reader = asyncio.create_task(cursor.read_ahead(read))
                            # Lets the reader request the next batch before this one is processed and before the slot is
                            # released; otherwise another query could take the connection that it needs.
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
        """End the server's work on a first batch that was cancelled, through its session: no cursor id is known yet."""
        try:
            yield
        except asyncio.CancelledError:
            with suppress(PyMongoError, TimeoutError):
                async with asyncio.timeout(_LONGEST_KILL_SECONDS):
                    await self._client.admin.command("killSessions", [session.session_id])
            raise

    async def count(self, plan: CountPlan) -> int:
        """Return the exact number of documents that match a plan's filter."""
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
        """Return a plan's groups, with decimals as Python's Decimal.

        Raises:
            InvalidTimeZoneError: the server does not know the time zone; besides those that every method raises.
        """
        # It may take half a minute, all on the server: other requests need not wait for its end.
        with wait_for_another(), translated_errors():
            async with (
                self._summaries,
                self._bounded(_SUMMARY_TIMES),
                self._begin(),
                self._client.start_session(causal_consistency=False) as session,
            ):
                options: dict[str, Any] = {
                    "batchSize": _SUMMARY_BATCH,
                    "collation": plan.collation,
                    "maxTimeMS": _SUMMARY_TIMES * self._timeout_ms,
                }
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
        """Hold a slot, which a query needs to start; raise OverloadedError if none is free in time."""
        try:
            async with asyncio.timeout(_LONGEST_WAIT_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            raise OverloadedError("Too many queries are waiting to start; try again later.") from None
        try:
            yield
        finally:
            self._slots.release()

    @asynccontextmanager
    async def _bounded(self, times: int = 1) -> AsyncIterator[None]:
        """Enforce the timeout here too: a server whose disk hangs cannot enforce it itself."""
        try:
            async with asyncio.timeout(times * self._timeout_ms / 1000 + _GRACE_SECONDS):
                yield
        except TimeoutError:
            raise DatabaseTimeoutError("The database did not answer in time.") from None

    async def check(self) -> None:
        """Check that the server answers and lets this user read the transactions; raise as the other methods do."""
        with translated_errors():
            await self._collection.find_one({}, {"_id": 1}, max_time_ms=self._timeout_ms)

    def _shape(self, items: Items) -> list[Row]:
        """Decode a reply into rows as the caller may see them, and add their number to the request's meter."""
        rows = self._decode(items)
        if meter := METER.get():
            meter.rows += len(rows)
        return rows

    def _decode(self, items: Items) -> list[Row]:
        rows = [row for item in items for row in (item.decode(CODEC) if isinstance(item, Batch) else (item,))]
        return shape_rows(rows, is_masking=self._is_masking)
