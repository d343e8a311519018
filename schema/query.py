"""The schema's query fields: they validate GraphQL's arguments and call schema/resolvers.py, never the repository."""

from typing import Annotated, cast

import strawberry
from strawberry.federation.schema import FederationAny

from database.query import Order
from schema.connection import Listing, TransactionConnection
from schema.context import Info
from schema.federation import Entity, Service, find_entities, print_sdl
from schema.grouping import SUMMARY_ROWS
from schema.page import DEFAULT_ROWS, MAX_ROWS, build_page
from schema.resolvers import find_transaction, summarize_transactions
from schema.selection import count_answers, select_keys, select_names
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
from schema.types import Transaction, TransactionFilterInput, TransactionOrder, parse_input


@strawberry.type(description="Queries on card transactions.")
class Query:
    @strawberry.field(description="The transactions that match a filter, in pages, with their total number.")
    def transactions(
        self,
        info: Info,
        filter: Annotated[  # noqa: A002 - GraphQL's name of the argument
            TransactionFilterInput | None, strawberry.argument(description="Which transactions; all if omitted.")
        ] = None,
        order_by: Annotated[
            TransactionOrder | None, strawberry.argument(description="The order of the list.")
        ] = TransactionOrder.DATE_DESC,
        first: Annotated[
            int | None,
            strawberry.argument(
                description=f"How many rows from the start, or after `after`: 0 to {MAX_ROWS}; {DEFAULT_ROWS} when "
                "neither this nor `last` is given."
            ),
        ] = None,
        after: Annotated[str | None, strawberry.argument(description="Only rows after this cursor.")] = None,
        last: Annotated[
            int | None,
            strawberry.argument(description=f"How many rows from the end, or before `before`: 0 to {MAX_ROWS}."),
        ] = None,
        before: Annotated[str | None, strawberry.argument(description="Only rows before this cursor.")] = None,
    ) -> TransactionConnection:
        order = Order[order_by.name] if order_by else Order.DATE_DESC
        listing = Listing(
            context=info.context,
            wanted=parse_input(filter).build_filter(info.context.now_ms),
            order=order,
            page=build_page(order, first=first, after=after, last=last, before=before),
            keys=select_keys(info, "nodes") | select_keys(info, "edges", "node"),
        )
        info.context.budget.take(_count_lists(info) * (listing.page.limit or 0))
        return TransactionConnection(listing=listing)

    @strawberry.field(
        description="The transactions that match a filter, grouped, counted and summed in one aggregation. It counts "
        f"as {SUMMARY_ROWS} of the rows that an operation may ask for."
    )
    async def transaction_summary(
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
    ) -> TransactionSummary:
        info.context.budget.take(SUMMARY_ROWS)
        wanted = parse_input(filter).build_filter(info.context.now_ms)
        request = build_summary_request(info, wanted, group_by, time_zone, percentiles, rates, into, order_by, top)
        return await summarize_transactions(info.context.repository, request)

    @strawberry.field(description="One transaction by its id, or null when there is none.")
    async def transaction(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The transaction's id.")],  # noqa: A002 - GraphQL's name
    ) -> Transaction | None:
        info.context.budget.check()
        row = await find_transaction(info.context.repository, id, select_keys(info))
        return cast("Transaction | None", row)

    @strawberry.field(
        name="_entities",
        description="For Apollo Federation routers: the transaction of each representation, in the same order, or "
        "null; an invalid one gives an error at its index, and the others are answered.",
    )
    def entities(
        self,
        info: Info,
        representations: Annotated[
            list[FederationAny],
            strawberry.argument(description='Each as `{__typename: "Transaction", id: …}`.'),
        ],
    ) -> list[Entity | None]:
        info.context.budget.take(len(representations))
        return cast("list[Entity | None]", find_entities(info.context, representations, select_keys(info)))

    @strawberry.field(
        name="_service",
        description="For Apollo Federation composition: this schema; only where introspection is allowed.",
    )
    def service(self, info: Info) -> Service:
        return Service(sdl=print_sdl(info.schema))


def _count_lists(info: Info) -> int:
    """Return how often to charge the page's rows: once per list, once for `pageInfo` alone, 0 for a total alone."""
    lists = count_answers(info, "nodes") + count_answers(info, "edges", "node")
    return lists or int(not select_names(info, "pageInfo") <= {"__typename"})
