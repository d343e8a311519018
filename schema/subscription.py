"""The schema's subscriptions: GraphQL's arguments in, what is told of events out."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Annotated, cast

import strawberry

from database.errors import DatabaseUnavailableError
from database.query import RelativeFilter, TransactionFilter
from database.summary import SummaryQuestion
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
    build_summary_question,
)
from schema.types import Transaction, TransactionFilterInput, parse_input
from schema.update import Update
from schema.watch import PAUSE_SECONDS

# The end of a window of days moves on though nothing is added.
_WINDOW_SECONDS = 60.0


@strawberry.type(description="What happens to card transactions, as it happens.")
class Subscription:
    @strawberry.subscription(
        description="Each transaction that matches a filter, once, when it is added. `extensions.eventId` of a result "
        "says where to resume after it."
    )
    def transaction_added(
        self,
        info: Info,
        filter: Annotated[  # noqa: A002 - GraphQL's name of the argument
            TransactionFilterInput | None,
            strawberry.argument(
                description="Which transactions; all when left out. `days` are counted back from the moment when a "
                "transaction is added."
            ),
        ] = None,
        after: Annotated[
            str | None,
            strawberry.argument(
                description="An `eventId`: first the transactions that were added after that event, in their order."
            ),
        ] = None,
    ) -> AsyncGenerator[Transaction, None]:
        context = info.context
        updates = _tell_additions(context, parse_input(filter), context.resume_after or after)
        # schema/stream.py executes what they hold.
        return cast("AsyncGenerator[Transaction, None]", updates)

    @strawberry.subscription(
        description="The summary of a filter, at once and again when a transaction that matches it was added and has "
        f"changed it, at most once in {PAUSE_SECONDS:g} s. With `days` it is also looked at each {_WINDOW_SECONDS:g} "
        "s, for their window moves. That transactions were changed or deleted is no event: the next summary shows it."
    )
    def summary_changed(
        self,
        info: Info,
        filter: Annotated[  # noqa: A002 - GraphQL's name of the argument
            TransactionFilterInput | None, strawberry.argument(description="Which transactions; all when left out.")
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
        question = build_summary_question(
            info, TransactionFilter(), group_by, time_zone, percentiles, rates, into, order_by, top
        )
        updates = _tell_summaries(info.context, parse_input(filter), question)
        return cast("AsyncGenerator[TransactionSummary, None]", updates)


async def _tell_additions(
    context: RequestContext, wanted: RelativeFilter, after: str | None
) -> AsyncGenerator[Update, None]:
    async with context.open_events(wanted, after) as events:
        context.note_open(events)
        async for event in events:
            yield Update(event.row, event.id, event.id)


async def _tell_summaries(
    context: RequestContext, wanted: RelativeFilter, question: SummaryQuestion
) -> AsyncGenerator[Update, None]:
    """Tell a summary whenever it has changed; the question's own filter is left open."""

    async def compute() -> TransactionSummary:
        current = replace(question, wanted=wanted.build_filter(read_clock_ms()))
        return await summarize_transactions(context.repository, current)

    # Of percentiles that are equal and written in two ways each is told as it was asked for.
    watch = context.watches.find((wanted, question, str(question.percentiles)))
    last: Update | None = None
    async with context.open_events(wanted, None) as events:
        # However many come between two summaries, nobody is too slow for them.
        events.keep_last()
        context.note_open(None)
        while not events.is_over:
            try:
                update = await watch.refresh(compute)
            except DatabaseUnavailableError:
                # Whoever waits for the next event waits for the database too, and is told where it stays away.
                await events.read(PAUSE_SECONDS)
                continue
            if update is not last:
                yield update
                last = update
            await events.read(_WINDOW_SECONDS if wanted.days is not None else None)
