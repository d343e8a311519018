"""One client's request for a list: which requests may share a reading with it, and which rows of that are its own."""

from collections.abc import AsyncGenerator, Hashable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from database.cursor import Position
from database.query import TransactionFilter
from database.repository import TransactionRepository
from database.resume_point import ResumePoint
from database.row import Row
from gateway.rows import RowFormat
from schema.resolvers import build_list_plan


@dataclass(frozen=True, slots=True)
class ListRequest:
    """A request for all rows of a window, newest first, after a position, in a format.

    Attributes:
        wanted: the filter; its window selects this request's rows from a shared reading.
        has_end: whether the client gave the end of the window, which otherwise ends when the request arrives.
    """

    repository: TransactionRepository
    wanted: TransactionFilter
    after: Position | None
    row_format: RowFormat
    has_end: bool = False

    @property
    def window(self) -> tuple[int, int]:
        """The first and the last moment, in ms since the epoch, UTC."""
        if self.wanted.since is None or self.wanted.until is None:
            raise ValueError("A list needs a window.")
        return self.wanted.since, self.wanted.until

    def build_key(self) -> Hashable:
        """Build the key that requests which may share a reading have in common: all but the moment of their arrival."""
        rest = replace(self.wanted, since=None, until=None)
        since, until = self.window
        span = until - since, until if self.has_end else None
        return self.repository, rest, span, self.after, self.row_format.media_type

    async def read_alone(self, resume_point: ResumePoint | None) -> AsyncGenerator[bytes, None]:
        """Yield the parts of the list after a resume point, or of all of it, from a query of its own."""
        plan = build_list_plan(self.wanted, self.after)
        async with aclosing(self.repository.open_batches(plan, resume_point and resume_point.copy(plan))) as batches:
            async for batch in batches:
                yield self.row_format.encode(batch)

    def write(self, rows: Sequence[Row]) -> bytes:
        """Encode the rows that are in this request's window; the dates of all must be numbers."""
        since, until = self.window
        own = [row for row in rows if since <= row["date"] <= until]
        return self.row_format.encode(own) if own else b""
