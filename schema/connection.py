"""The Relay connection of transactions: rows are read once, and the total is counted only if it is selected."""

import asyncio
from dataclasses import dataclass, field
from typing import cast

import strawberry

from database.query import Order, Page, TransactionFilter
from database.repository import NoteBatch
from database.row import Row
from schema.chunk import yield_in_chunks
from schema.context import RequestContext
from schema.encoded import EncodedRows
from schema.page import build_cursor
from schema.resolvers import TransactionPage, count_transactions, list_transactions
from schema.shape import PageEncoder, RowShape
from schema.types import Transaction


@dataclass(slots=True)
class Listing:
    """One list that an operation requests, and its page once read."""

    context: RequestContext
    wanted: TransactionFilter
    order: Order
    page: Page
    keys: frozenset[str]
    _answer: asyncio.Task[TransactionPage] | None = field(default=None, init=False)

    async def read_page(self, note_batch: NoteBatch | None = None) -> TransactionPage:
        """Return the page; only the first call queries the database, and only its `note_batch` is used."""
        if self._answer is None:
            self.context.budget.check()
            self._answer = asyncio.create_task(
                list_transactions(self.context.repository, self.wanted, self.order, self.page, self.keys, note_batch)
            )
        return await self._answer

    async def read_rows(self) -> list[Row]:
        """Return the page's rows in the order of the response."""
        return await (await self.read_page()).load()

    async def encode_rows(self, shape: RowShape) -> list[EncodedRows]:
        """Return the page's rows encoded in a shape; raises an exception of any type if it cannot express them."""
        encoder = PageEncoder(shape, self.page)
        answer = await self.read_page(encoder.note if encoder.is_noting else None)
        return await encoder.finish(answer.number, answer.load, self.context.chunk_lock)

    async def has_rows_beyond(self, *, forward: bool) -> bool:
        """Return whether the list continues after the page, or, with `forward` false, before it."""
        answer = await self.read_page()
        if answer.has_more and forward != self.page.from_end:
            return True
        bound = self.page.before if forward else self.page.after
        if bound is None:
            return False
        # The page borders on the cursor, so every row at or past the cursor is beyond the page. The page's own last row
        # cannot serve as the bound: a row without a date or an amount has no position that a query can start from.
        beyond = Page(1, after=bound, inclusive=True) if forward else Page(1, before=bound, inclusive=True)
        further = await list_transactions(self.context.repository, self.wanted, self.order, beyond, frozenset())
        return further.number > 0

    async def count(self) -> int:
        """Return the exact number of transactions that match the filter, regardless of the page."""
        self.context.budget.check()
        return await count_transactions(self.context.repository, self.wanted)


@strawberry.type(description="Where a page is in the whole list.")
class PageInfo:
    listing: strawberry.Private[Listing]

    @strawberry.field(description="Whether rows follow this page.")
    async def has_next_page(self) -> bool:
        return await self.listing.has_rows_beyond(forward=True)

    @strawberry.field(description="Whether rows come before this page.")
    async def has_previous_page(self) -> bool:
        return await self.listing.has_rows_beyond(forward=False)

    @strawberry.field(description="The first row's cursor: as `before`, with `last`, it gives the previous page.")
    async def start_cursor(self) -> str | None:
        row = (await self.listing.read_page()).first
        return None if row is None else build_cursor(row, self.listing.order)

    @strawberry.field(description="The last row's cursor: as `after`, with `first`, it gives the next page.")
    async def end_cursor(self) -> str | None:
        row = (await self.listing.read_page()).last
        return None if row is None else build_cursor(row, self.listing.order)


@strawberry.type(description="A transaction and its position in the order.")
class TransactionEdge:
    row: strawberry.Private[Row]
    order: strawberry.Private[Order]

    @strawberry.field(description="The position in the order; it stays valid when rows are added or removed.")
    def cursor(self) -> str:
        return build_cursor(self.row, self.order)

    @strawberry.field(description="The transaction.")
    def node(self) -> Transaction:
        # The row is the document itself: schema/types.py reads its fields.
        return cast("Transaction", self.row)


@strawberry.type(description="A page of transactions.")
class TransactionConnection:
    listing: strawberry.Private[Listing]

    @strawberry.field(description="The page's transactions.")
    async def nodes(self) -> list[Transaction]:
        return cast(
            "list[Transaction]", yield_in_chunks(await self.listing.read_rows(), self.listing.context.chunk_lock)
        )

    @strawberry.field(description="The page's transactions, each with its cursor.")
    async def edges(self) -> list[TransactionEdge]:
        rows = await self.listing.read_rows()
        edges = (TransactionEdge(row=row, order=self.listing.order) for row in rows)
        return cast("list[TransactionEdge]", yield_in_chunks(edges, self.listing.context.chunk_lock))

    @strawberry.field(description="Where the page is in the whole list.")
    def page_info(self) -> PageInfo:
        return PageInfo(listing=self.listing)

    @strawberry.field(description="The exact number of transactions that match the filter, whatever the page.")
    async def total_count(self) -> int:
        return await self.listing.count()
