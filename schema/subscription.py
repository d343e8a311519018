"""The schema's subscriptions: GraphQL's arguments in, the events that they are to be told of out."""

from collections.abc import AsyncGenerator
from typing import Annotated, cast

import strawberry

from database.match import LiveFilter
from schema.context import Info, RequestContext
from schema.filter import build_filter
from schema.stream import Update
from schema.types import Transaction, TransactionFilterInput


@strawberry.type(description="What happens to card transactions, as it happens.")
class Subscription:
    @strawberry.subscription(
        description="Each transaction that suits a filter, once, when it is added. `extensions.eventId` of a result "
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
        wanted = build_live_filter(filter or TransactionFilterInput())
        updates = _give_additions(context, wanted, context.resume_after or after)
        # schema/stream.py executes what they hold.
        return cast("AsyncGenerator[Transaction, None]", updates)


async def _give_additions(
    context: RequestContext, wanted: LiveFilter, after: str | None
) -> AsyncGenerator[Update, None]:
    async with context.open_events(wanted, after) as events:
        async for event in events:
            yield Update(event.row, event.id, event.id)


def build_live_filter(asked: TransactionFilterInput) -> LiveFilter:
    """Validate what was asked for, as of every filter."""
    given = build_filter(
        now_ms=0,
        days=asked.days,
        card_type=asked.card_type,
        country=asked.country,
        min_amount=asked.min_amount,
        max_amount=asked.max_amount,
    )
    return LiveFilter(asked.days, given.card_type, given.country, given.min_amount, given.max_amount)
