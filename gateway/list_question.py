"""A list that one client asks for: which questions it may share a reading with, and which rows of that are its own."""

from collections.abc import AsyncGenerator, Hashable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from database.cursor import Position
from database.query import TransactionFilter
from database.repository import TransactionRepository
from database.row import Row
from database.trail import Trail
from gateway.rows import RowFormat
from schema.resolvers import build_list_plan


@dataclass(frozen=True, slots=True)
class ListQuestion:
    """What one client asks: all rows of a window, newest first, from a position on, in a format.

    Attributes:
        wanted: with a window, by which rows of a shared reading are told apart.
        has_end: whether the client said itself where the window ends; it ends with the question's arrival if not.
    """

    repository: TransactionRepository
    wanted: TransactionFilter
    after: Position | None
    row_format: RowFormat
    has_end: bool = False

    @property
    def window(self) -> tuple[int, int]:
        """The first and the last moment of it."""
        if self.wanted.since is None or self.wanted.until is None:
            raise ValueError("A list needs a window.")
        return self.wanted.since, self.wanted.until

    def build_key(self) -> Hashable:
        """What questions that may share a reading have in common: all but the moment of their arrival."""
        rest = replace(self.wanted, since=None, until=None)
        since, until = self.window
        span = until - since, until if self.has_end else None
        return self.repository, rest, span, self.after, self.row_format.media_type

    async def read_alone(self, trail: Trail | None) -> AsyncGenerator[bytes, None]:
        """Give what is left of the list beyond a trail, or all of it, in parts."""
        plan = build_list_plan(self.wanted, self.after)
        async with aclosing(self.repository.open_batches(plan, trail and trail.copy(plan))) as batches:
            async for batch in batches:
                yield self.row_format.encode(batch)

    def write(self, rows: Sequence[Row]) -> bytes:
        """Give those of some rows that are in this question's window; their dates are numbers."""
        since, until = self.window
        own = [row for row in rows if since <= row["date"] <= until]
        return self.row_format.encode(own) if own else b""
