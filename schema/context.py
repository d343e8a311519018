"""What one request brings to the resolvers: where the rows are, how many it may ask for, and when it arrived."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TypeAlias

import strawberry

from database.errors import LiveUnavailableError
from database.query import RelativeFilter
from database.repository import TransactionRepository
from database.subscription import Subscription
from schema.budget import RowBudget
from schema.limits import Limits
from schema.watch import SummaryWatches


def read_clock_ms() -> int:
    """Give the present in ms since the epoch, UTC."""
    return time.time_ns() // 1_000_000


OpenEvents: TypeAlias = Callable[[RelativeFilter, str | None], AbstractAsyncContextManager[Subscription]]


def _open_no_events(_wanted: RelativeFilter, _after: str | None) -> AbstractAsyncContextManager[Subscription]:
    raise LiveUnavailableError("Nobody tells here what is added to the database.")


@dataclass(frozen=True, slots=True)
class RequestContext:
    """One per request, whichever the style.

    Attributes:
        repository: runs the plans.
        now_ms: when the request arrived, in ms since the epoch, UTC: the end of every window in it.
        budget: the rows that its operation may ask for; REST, whose lists have no limit, does not use it.
        note_operation: is told an operation's name and its fields of the query type before it runs.
        sees_cards: whether this caller sees whole card numbers.
        open_events: opens the transactions that are added from now on, or after an event, as this caller may see them.
        watches: the summaries that are kept current, for all callers of a worker.
        note_open: is called when a subscription misses nothing any more, with its events if it tells them one by one.
        resume_after: the id of the event that this client saw last, where the protocol of its request says so.
        encodes_rows: whether long lists of the result may be encoded, as EncodedRows items that stand for several.
        turn: held while some rows are executed or encoded: between two such pieces the event loop does other work.
    """

    repository: TransactionRepository
    now_ms: int = field(default_factory=read_clock_ms)
    budget: RowBudget = field(default_factory=lambda: RowBudget(Limits().rows))
    note_operation: Callable[[str | None, Sequence[str]], None] = lambda _name, _fields: None
    sees_cards: bool = False
    open_events: OpenEvents = _open_no_events
    watches: SummaryWatches = field(default_factory=SummaryWatches)
    note_open: Callable[[Subscription | None], None] = lambda _events: None
    resume_after: str | None = None
    encodes_rows: bool = False
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


Info: TypeAlias = strawberry.Info[RequestContext, None]
