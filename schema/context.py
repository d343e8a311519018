"""What a request gives the resolvers: the repository, its row budget, the time it arrived. It knows no HTTP."""

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
    """Return the current time in ms since the epoch, UTC."""
    return time.time_ns() // 1_000_000


OpenEvents: TypeAlias = Callable[[RelativeFilter, str | None], AbstractAsyncContextManager[Subscription]]


def _open_no_events(_wanted: RelativeFilter, _after: str | None) -> AbstractAsyncContextManager[Subscription]:
    raise LiveUnavailableError("Live transactions are not available here.")


@dataclass(frozen=True, slots=True)
class RequestContext:
    """The context of one request, GraphQL or REST.

    Attributes:
        repository: runs the plans.
        now_ms: when the request arrived, in ms since the epoch, UTC: the end of each of its windows of days.
        budget: the rows that its operation may request; REST, whose lists have no limit, does not use it.
        note_operation: called with an operation's name and the names of its root fields before it runs.
        sees_cards: whether this caller sees full card numbers.
        open_events: opens a subscription to transactions added from now on, or after an event id, as this caller may
            see them.
        watches: the summaries that are kept current, shared by all callers of a worker.
        note_open: called once a subscription can miss no more events, with the subscription if it yields each event,
            else with None.
        resume_after: the id of the last event that this client saw, if the request's protocol carries one.
        encodes_rows: whether long lists of the result may hold EncodedRows items, each standing for several rows.
        chunk_lock: held while a chunk of rows is executed or encoded; between chunks the event loop does other work.
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
    chunk_lock: asyncio.Lock = field(default_factory=asyncio.Lock)


Info: TypeAlias = strawberry.Info[RequestContext, None]
