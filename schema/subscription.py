"""The schema's subscription fields: they validate GraphQL's arguments and yield Updates. They know no protocol."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Annotated, cast

import strawberry

from database.errors import DatabaseUnavailableError
from database.query import RelativeFilter, TransactionFilter
from database.summary import SummaryRequest
from schema.context import Info, RequestContext, read_clock_ms
from schema.grouping import SUMMARY_ROWS
from schema.resolvers import summarize_transactions
from schema.summary import (
    GroupByArgument,
    IntoArgument,
    OrderByArgument,
    PercentilesArgument,
    RatesArgument,
    TimeZoneArgument,
    TopArgument,
    TransactionSummary,
    build_summary_request,
)
from schema.types import Transaction, TransactionFilterInput, parse_input
from schema.update import Update
from schema.watch import PAUSE_SECONDS

# A window of days moves on even if nothing is added.
_WINDOW_SECONDS = 60.0


@strawberry.type(description="Card transactions as they are added.")
class Subscription:
    @strawberry.subscription(
        description="Each transaction that matches a filter, once, when it is added. `extensions.eventId` of a result "
        "is where to resume after it."
    )
    def transaction_added(
        self,
        info: Info,
        filter: Annotated[  # noqa: A002 - GraphQL's name of the argument
            TransactionFilterInput | None,
            strawberry.argument(
                description="Which transactions; all if omitted. `days` are counted back from the moment when a "
                "transaction is added."
            ),
        ] = None,
        after: Annotated[
            str | None,
            strawberry.argument(description="An `eventId`: what was added after that event is sent first, in order."),
        ] = None,
    ) -> AsyncGenerator[Transaction, None]:
        context = info.context
        updates = _stream_additions(context, parse_input(filter), context.resume_after or after)
        # schema/stream.py executes the values that the updates hold.
        return cast("AsyncGenerator[Transaction, None]", updates)

    @strawberry.subscription(
        description="The summary of a filter, at once and again when an added transaction that matches it has changed "
        f"it, at most once in {PAUSE_SECONDS:g} s. With `days` it is also recomputed every {_WINDOW_SECONDS:g} s, "
        "because the window moves. Updates and deletions do not trigger it: the next summary shows them."
    )
    def summary_changed(
        self,
        info: Info,
        filter: Annotated[  # noqa: A002 - GraphQL's name of the argument
            TransactionFilterInput | None, strawberry.argument(description="Which transactions; all if omitted.")
        ] = None,
        group_by: GroupByArgument = None,
        time_zone: TimeZoneArgument = None,
        percentiles: PercentilesArgument = None,
        rates: RatesArgument = None,
        into: IntoArgument = None,
        order_by: OrderByArgument = None,
        top: TopArgument = None,
    ) -> AsyncGenerator[TransactionSummary, None]:
        info.context.budget.take(SUMMARY_ROWS)
        request = build_summary_request(
            info, TransactionFilter(), group_by, time_zone, percentiles, rates, into, order_by, top
        )
        updates = _stream_summaries(info.context, parse_input(filter), request)
        return cast("AsyncGenerator[TransactionSummary, None]", updates)


async def _stream_additions(
    context: RequestContext, wanted: RelativeFilter, after: str | None
) -> AsyncGenerator[Update, None]:
    async with context.open_events(wanted, after) as events:
        context.note_open(events)
        async for event in events:
            yield Update(event.row, event.id, event.id)


async def _stream_summaries(
    context: RequestContext, wanted: RelativeFilter, request: SummaryRequest
) -> AsyncGenerator[Update, None]:
    """Yield a summary whenever it has changed; `wanted` replaces the request's own filter."""

    async def compute() -> TransactionSummary:
        current = replace(request, wanted=wanted.build_filter(read_clock_ms()))
        return await summarize_transactions(context.repository, current)

    # Equal percentiles written differently (50, 50.0) are each reported as requested.
    watch = context.watches.find((wanted, request, str(request.percentiles)))
    last: Update | None = None
    async with context.open_events(wanted, None) as events:
        # So that no subscriber is too slow, however many events come between two summaries.
        events.keep_last()
        context.note_open(None)
        while not events.is_over:
            try:
                update = await watch.refresh(compute)
            except DatabaseUnavailableError:
                # Reading the next event waits for the database too, and raises if it stays away.
                await events.read(PAUSE_SECONDS)
                continue
            if update is not last:
                yield update
                last = update
            await events.read(_WINDOW_SECONDS if wanted.days is not None else None)
