"""The GraphQL types of a summary, which REST serialises too, and the arguments of its query.

The types only hold a summary; schema/series.py builds it.
"""

from dataclasses import replace
from decimal import Decimal
from enum import Enum
from typing import Annotated, TypeAlias, cast

import strawberry

from database.group_key import GroupKey
from database.query import TransactionFilter
from database.summary import MAX_AMOUNTS, MAX_GROUPS, SummaryOrder, SummaryRequest
from schema.chunk import yield_in_chunks
from schema.context import Info
from schema.grouping import parse_summary_request
from schema.selection import select_names

# With ten percentiles, each currency of a group has 26 fields, which take 130 µs to execute.
_GROUPS_PER_CHUNK = 10


@strawberry.enum(description="What transactions are grouped by. Texts that differ only in case are one group.")
class SummaryKey(Enum):
    CARD_TYPE = strawberry.enum_value("CARD_TYPE", description="The card's brand.")
    COUNTRY = strawberry.enum_value("COUNTRY", description="The country of origin.")
    CURRENCY = strawberry.enum_value("CURRENCY", description="The currency that the amount was paid in.")
    VENDOR = strawberry.enum_value("VENDOR", description="Who was paid.")
    AMOUNT_RANGE = strawberry.enum_value(
        "AMOUNT_RANGE",
        description="The range of the amount, converted if `into` is given; ranges begin at 0, 1, 2, 5, 10, 20, 50 and "
        "so on to 1,000,000.",
    )
    HOUR = strawberry.enum_value("HOUR", description="Each hour of each day, on the clocks of the time zone.")
    DAY = strawberry.enum_value("DAY", description="Each day of the time zone.")
    WEEK = strawberry.enum_value("WEEK", description="Each week of the time zone, from Monday (ISO 8601).")
    MONTH = strawberry.enum_value("MONTH", description="Each month of the time zone.")


@strawberry.enum(
    name="SummaryOrder",
    description="The order of the groups. Equal ones are ordered by their keys, ascending.",
)
class SummaryOrderChoice(Enum):
    KEY_ASC = strawberry.enum_value(
        "KEY_ASC", description="By the first key, then by the second: A to Z, oldest first."
    )
    KEY_DESC = strawberry.enum_value("KEY_DESC", description="The reverse of KEY_ASC.")
    COUNT_DESC = strawberry.enum_value("COUNT_DESC", description="Most transactions first.")
    COUNT_ASC = strawberry.enum_value("COUNT_ASC", description="Fewest transactions first.")
    SUM_DESC = strawberry.enum_value("SUM_DESC", description="Largest sum first; only with `into`.")
    SUM_ASC = strawberry.enum_value("SUM_ASC", description="Smallest sum first; only with `into`.")


@strawberry.input(description="What one unit of a currency is worth in the currency `into`.")
class ExchangeRate:
    currency: str = strawberry.field(description="ISO 4217, in upper or lower case.")
    rate: Decimal = strawberry.field(description="Above 0, of at most 15 significant digits.")


@strawberry.type(description="A percentile of the amounts, by the nearest-rank method.")
class AmountPercentile:
    percentile: Decimal = strawberry.field(
        description="The percentile as requested; 0 is the smallest amount, 100 the largest."
    )
    value: Decimal | None = strawberry.field(description="One of the amounts; null if there are none.")


@strawberry.type(description="The amounts of a group in one currency, exact to 34 digits.")
class AmountSummary:
    currency: str = strawberry.field(description="Their currency, or the one given as `into`.")
    count: int = strawberry.field(description="How many there are.")
    sum: Decimal = strawberry.field(description="Their sum.")
    average: Decimal | None = strawberry.field(
        description="Their mean, rounded half to even at 34 digits; null if there are none."
    )
    min: Decimal | None = strawberry.field(description="The smallest amount; null if there are none.")
    max: Decimal | None = strawberry.field(description="The largest amount; null if there are none.")
    percentiles: list[AmountPercentile] = strawberry.field(description="The requested percentiles, in that order.")


@strawberry.type(
    description="Transactions with the same keys. A key is null if it is not grouped by, or if the transactions lack "
    "it; a unit of time is given by its start: `2026-03-29T00:00:00+01:00`."
)
class SummaryGroup:
    count: int = strawberry.field(description="How many transactions; 0 where a gap in time is filled.")
    amounts: list[AmountSummary] = strawberry.field(
        description="Their amounts for each currency, sorted by its code; different currencies are never added. With "
        "`into` always one."
    )
    card_type: str | None = strawberry.field(
        default=None, description="The card's brand; of several spellings the first in byte order."
    )
    country: str | None = strawberry.field(default=None, description="The country of origin, in upper case.")
    currency: str | None = strawberry.field(default=None, description="The currency that was paid in, in upper case.")
    vendor: str | None = strawberry.field(
        default=None, description="Who was paid; of several spellings the first in byte order."
    )
    amount_range: Decimal | None = strawberry.field(
        default=None,
        description="The start of the range of amounts. A range ends where the next begins; the last is open-ended; "
        "null stands for amounts below 0. Ranges without transactions are left out.",
    )
    hour: str | None = strawberry.field(
        default=None, description="The start of the hour; an hour that occurs twice has two offsets."
    )
    day: str | None = strawberry.field(default=None, description="The start of the day, usually midnight.")
    week: str | None = strawberry.field(default=None, description="The start of the week, a Monday.")
    month: str | None = strawberry.field(default=None, description="The start of the month.")


@strawberry.type(description="The number of transactions and the sums of their amounts, by group.")
class TransactionSummary:
    found: strawberry.Private[list[SummaryGroup]]
    omitted: int = strawberry.field(
        description="Matching transactions that are in no group: their amount is not a finite number below 1e15, or "
        "has no currency, or, where time is a key, their date is not a number."
    )

    @strawberry.field(
        description=f"At most {MAX_GROUPS} groups, with at most {MAX_AMOUNTS} amounts together; without a key, one "
        "group of all transactions."
    )
    async def groups(self, info: Info) -> list[SummaryGroup]:
        return cast("list[SummaryGroup]", yield_in_chunks(self.found, info.context.chunk_lock, _GROUPS_PER_CHUNK))


GroupByArgument: TypeAlias = Annotated[
    list[SummaryKey] | None,
    strawberry.argument(
        description="One or two keys; one total if omitted. Gaps in time are filled with empty groups: within the days "
        "of the filter, or without days from the first group to the last."
    ),
]
TimeZoneArgument: TypeAlias = Annotated[
    str | None,
    strawberry.argument(description="The IANA time zone of hours, days, weeks and months; UTC if omitted."),
]
PercentilesArgument: TypeAlias = Annotated[
    list[Decimal] | None,
    strawberry.argument(description="Which percentiles of the amounts to give: at most 10, from 0 to 100."),
]
RatesArgument: TypeAlias = Annotated[
    list[ExchangeRate] | None,
    strawberry.argument(description="Rates into the currency `into`, for every other currency that occurs."),
]
IntoArgument: TypeAlias = Annotated[
    str | None, strawberry.argument(description="Convert all amounts into this currency, ISO 4217.")
]
OrderByArgument: TypeAlias = Annotated[
    SummaryOrderChoice | None,
    strawberry.argument(description="The order of the groups; if omitted KEY_ASC, or COUNT_DESC with `top`."),
]
TopArgument: TypeAlias = Annotated[
    int | None,
    strawberry.argument(description="Only this many groups, the first in the order; gaps in time are not filled."),
]


def build_summary_request(
    info: Info,
    wanted: TransactionFilter,
    group_by: list[SummaryKey] | None,
    time_zone: str | None,
    percentiles: list[Decimal] | None,
    rates: list[ExchangeRate] | None,
    into: str | None,
    order_by: SummaryOrderChoice | None,
    top: int | None,
) -> SummaryRequest:
    """Validate a summary's arguments and build its request; raises as `parse_summary_request` does.

    Amounts are summed only if they are selected or must be converted, since a conversion can fail.
    """
    request = parse_summary_request(
        wanted,
        keys=[GroupKey[key.name] for key in group_by or ()],
        time_zone=time_zone,
        percentiles=percentiles or (),
        rates=None if rates is None else [(rate.currency, rate.rate) for rate in rates],
        into=into,
        order=SummaryOrder[order_by.name] if order_by else None,
        top=top,
    )
    has_amounts = request.conversion is not None or "amounts" in select_names(info, "groups")
    return replace(request, has_amounts=has_amounts)
