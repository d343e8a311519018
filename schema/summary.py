"""The GraphQL types of a summary, which REST writes too, and the arguments that ask for one.

The types hold an answer; schema/series.py makes it.
"""

from dataclasses import replace
from decimal import Decimal
from enum import Enum
from typing import Annotated, TypeAlias, cast

import strawberry

from database.group_key import GroupKey
from database.query import TransactionFilter
from database.summary import MAX_AMOUNTS, MAX_GROUPS, SummaryOrder, SummaryQuestion
from schema.context import Info
from schema.grouping import build_question
from schema.selection import select_names
from schema.turn import give_in_turns

# With ten percentiles each currency of a group has 26 fields, which take 130 µs of the event loop.
_GROUPS_PER_TURN = 10


@strawberry.enum(description="What transactions are grouped by. Texts that differ in case alone are one group.")
class SummaryKey(Enum):
    CARD_TYPE = strawberry.enum_value("CARD_TYPE", description="The card's brand.")
    COUNTRY = strawberry.enum_value("COUNTRY", description="The country of origin.")
    CURRENCY = strawberry.enum_value("CURRENCY", description="The currency that the amount was paid in.")
    VENDOR = strawberry.enum_value("VENDOR", description="Who was paid.")
    AMOUNT_RANGE = strawberry.enum_value(
        "AMOUNT_RANGE",
        description="The range of the amount, or of what `into` makes of it: from 0, 1, 2, 5, 10, 20, 50 and so on to "
        "1,000,000.",
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
    KEY_DESC = strawberry.enum_value("KEY_DESC", description="By the keys, the other way round.")
    COUNT_DESC = strawberry.enum_value("COUNT_DESC", description="Most transactions first.")
    COUNT_ASC = strawberry.enum_value("COUNT_ASC", description="Fewest transactions first.")
    SUM_DESC = strawberry.enum_value("SUM_DESC", description="Largest sum first; only with `into`.")
    SUM_ASC = strawberry.enum_value("SUM_ASC", description="Smallest sum first; only with `into`.")


@strawberry.input(description="What one unit of a currency is in the currency of `into`.")
class ExchangeRate:
    currency: str = strawberry.field(description="ISO 4217, in upper or lower case.")
    rate: Decimal = strawberry.field(description="Above 0, of at most 15 significant digits.")


@strawberry.type(description="An amount that so many in a hundred do not exceed (nearest rank).")
class AmountPercentile:
    percentile: Decimal = strawberry.field(
        description="As it was asked for; 0 is the smallest amount, 100 the largest."
    )
    value: Decimal | None = strawberry.field(description="One of the amounts; null where there is none.")


@strawberry.type(description="The amounts of a group in one currency, exact to 34 digits.")
class AmountSummary:
    currency: str = strawberry.field(description="Their currency, or that of `into`.")
    count: int = strawberry.field(description="How many there are.")
    sum: Decimal = strawberry.field(description="Their sum.")
    average: Decimal | None = strawberry.field(
        description="Their mean, rounded half to even at 34 digits; null where there is none."
    )
    min: Decimal | None = strawberry.field(description="The smallest; null where there is none.")
    max: Decimal | None = strawberry.field(description="The largest; null where there is none.")
    percentiles: list[AmountPercentile] = strawberry.field(description="Those that were asked for, in that order.")


@strawberry.type(
    description="Transactions that have their keys in common. Keys that are not grouped by are null, and those that a "
    "transaction lacks; units of time are written as when they begin: `2026-03-29T00:00:00+01:00`."
)
class SummaryGroup:
    count: int = strawberry.field(description="How many transactions; 0 where a gap in time is filled.")
    amounts: list[AmountSummary] = strawberry.field(
        description="Their amounts in each currency, by its code: never added to those of another. With `into` always "
        "one."
    )
    card_type: str | None = strawberry.field(
        default=None, description="The card's brand; of several spellings the first by its bytes."
    )
    country: str | None = strawberry.field(default=None, description="The country of origin, in upper case.")
    currency: str | None = strawberry.field(default=None, description="The currency that was paid in, in upper case.")
    vendor: str | None = strawberry.field(
        default=None, description="Who was paid; of several spellings the first by its bytes."
    )
    amount_range: Decimal | None = strawberry.field(
        default=None,
        description="Where the range of amounts begins. It ends before the next one does, the last never; null is what "
        "is below 0. Ranges of no transaction are left out.",
    )
    hour: str | None = strawberry.field(
        default=None, description="When the hour begins; one that comes twice has two offsets."
    )
    day: str | None = strawberry.field(default=None, description="When the day begins, mostly at midnight.")
    week: str | None = strawberry.field(default=None, description="When the week begins, on Monday.")
    month: str | None = strawberry.field(default=None, description="When the month begins.")


@strawberry.type(description="Transactions counted and their amounts summed up, group by group.")
class TransactionSummary:
    found: strawberry.Private[list[SummaryGroup]]
    omitted: int = strawberry.field(
        description="Transactions of the filter that no group counts: their amount is no number, beyond 15 digits or "
        "without a currency, or, where time is a key, their date is none."
    )

    @strawberry.field(
        description=f"At most {MAX_GROUPS}, of at most {MAX_AMOUNTS} amounts together; without a key one, of all "
        "transactions."
    )
    async def groups(self, info: Info) -> list[SummaryGroup]:
        return cast("list[SummaryGroup]", give_in_turns(self.found, info.context.turn, _GROUPS_PER_TURN))


GroupByArgument: TypeAlias = Annotated[
    list[SummaryKey] | None,
    strawberry.argument(
        description="None, which gives one total, one or two keys. Gaps in time are filled with empty groups: "
        "within the days of the filter, or without days from the first group to the last."
    ),
]
TimeZoneArgument: TypeAlias = Annotated[
    str | None,
    strawberry.argument(description="Of hours, days, weeks and months: a name of IANA's database; UTC."),
]
PercentilesArgument: TypeAlias = Annotated[
    list[Decimal] | None,
    strawberry.argument(description="Which percentiles of the amounts to give: at most 10, from 0 to 100."),
]
RatesArgument: TypeAlias = Annotated[
    list[ExchangeRate] | None,
    strawberry.argument(description="Rates into the currency of `into`, for every other that occurs."),
]
IntoArgument: TypeAlias = Annotated[
    str | None, strawberry.argument(description="Convert all amounts into this currency, ISO 4217.")
]
OrderByArgument: TypeAlias = Annotated[
    SummaryOrderChoice | None,
    strawberry.argument(description="The order of the groups: KEY_ASC, or COUNT_DESC with `top`."),
]
TopArgument: TypeAlias = Annotated[
    int | None,
    strawberry.argument(description="Only so many groups, the first in the order; gaps in time are not filled."),
]


def build_summary_question(
    info: Info,
    wanted: TransactionFilter,
    group_by: list[SummaryKey] | None,
    time_zone: str | None,
    percentiles: list[Decimal] | None,
    rates: list[ExchangeRate] | None,
    into: str | None,
    order_by: SummaryOrderChoice | None,
    top: int | None,
) -> SummaryQuestion:
    """Validate what a summary's arguments ask of the transactions of a filter; raises as `build_question` does.

    Amounts that are not selected are not summed up, unless they must be converted, which may fail.
    """
    question = build_question(
        wanted,
        keys=[GroupKey[key.name] for key in group_by or ()],
        time_zone=time_zone,
        percentiles=percentiles or (),
        rates=None if rates is None else [(rate.currency, rate.rate) for rate in rates],
        into=into,
        order=SummaryOrder[order_by.name] if order_by else None,
        top=top,
    )
    has_amounts = question.conversion is not None or "amounts" in select_names(info, "groups")
    return replace(question, has_amounts=has_amounts)
