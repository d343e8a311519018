"""Pure: a question for totals becomes one aggregation. A plan describes; repository.py runs it."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

from bson.decimal128 import Decimal128

from database.group_key import GroupKey, build_label, build_range, build_spelling, build_text
from database.index import CASE_INSENSITIVE
from database.query import TransactionFilter, build_match
from database.zone import build_zone

# More groups than this are no summary; the answer of one more says that there are too many.
MAX_GROUPS = 10_000
# Nor more amounts than this, each currency of each group being one: each costs the gateway some 50 µs.
MAX_AMOUNTS = 50_000

# Doubles are exact to 15 digits, of which two are decimals: beyond, no sum could be. NaN is below all numbers, and what
# is no number at all is below or above them.
_LARGEST_AMOUNT = 1e15
# The years 2 to 9998: no week and no zone's offset then leaves the years that dates can be written in.
_EARLIEST_DATE, _LATEST_DATE = -62_104_060_800_000, 253_370_764_800_000
_RANGE = GroupKey.AMOUNT_RANGE


class SummaryOrder(Enum):
    """An order of the groups: what it sorts by, and the direction. Equal ones are ordered by their keys, ascending."""

    KEY_ASC = ("key", 1)
    KEY_DESC = ("key", -1)
    COUNT_DESC = ("count", -1)
    COUNT_ASC = ("count", 1)
    SUM_DESC = ("sum", -1)
    SUM_ASC = ("sum", 1)

    @property
    def field(self) -> str:
        return self.value[0]

    @property
    def direction(self) -> int:
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Conversion:
    """One currency for all amounts.

    Attributes:
        into: the currency, ISO 4217, in upper case.
        rates: what one unit of each currency is in it, `into` itself among them.
    """

    into: str
    rates: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True, slots=True)
class SummaryQuestion:
    """What is to be summed up, and how.

    Attributes:
        wanted: which transactions.
        keys: what they are grouped by: nothing, which gives one total, one key, or two different ones.
        time_zone: IANA's name, for the keys of the calendar.
        percentiles: from 0 to 100.
        conversion: one currency for all amounts; without it each currency has sums of its own.
        order: of the groups; by sum only with a conversion.
        top: only the first groups in that order.
        has_amounts: whether amounts are summed up, by currency; to count alone takes half as long. A conversion needs
            them.
    """

    wanted: TransactionFilter
    keys: tuple[GroupKey, ...] = ()
    time_zone: str = "UTC"
    percentiles: tuple[Decimal, ...] = ()
    conversion: Conversion | None = None
    order: SummaryOrder = SummaryOrder.KEY_ASC
    top: int | None = None
    has_amounts: bool = True

    @property
    def has_calendar(self) -> bool:
        return any(key.is_calendar for key in self.keys)

    @property
    def is_series(self) -> bool:
        """Whether gaps in time are to be filled, which nobody does in what was cut off."""
        return self.has_calendar and self.top is None


@dataclass(frozen=True, slots=True)
class SummaryPlan:
    """What an aggregate command is told.

    Each document that comes back is a group: `_id`, its keys by name; `count`; `at`, the date of its first transaction;
    `spelling_<key>`, an object whose one key is the text; and `amounts`, one for each currency, or one that has a count
    alone where amounts are not summed up. One group without `_id` holds what no other counts: transactions whose
    amount, currency or date is malformed (without a currency) or whose currency has no rate (with it).
    """

    pipeline: list[dict[str, Any]]
    # Texts that differ in case alone are one group, whatever else is asked, as they are found alike.
    collation: dict[str, Any]


def build_summary_plan(question: SummaryQuestion) -> SummaryPlan:
    """Describe the groups of a question, at most MAX_GROUPS and one more, or `top`, and the group without `_id`."""
    match = build_match(question.wanted)
    pipeline: list[dict[str, Any]] = [{"$match": match}] if match else []
    pipeline += [
        {"$project": _build_shape(question)},
        *_build_ranges(question),
        *_build_currencies(question),
        {"$group": _build_groups(question)},
        *_build_spellings(question),
        *_build_order(question),
        {"$limit": 1 + (question.top or MAX_GROUPS + 1)},
    ]
    return SummaryPlan(pipeline, CASE_INSENSITIVE)


def _build_shape(question: SummaryQuestion) -> dict[str, Any]:
    """Give each document's keys, its currency, which is null for what is malformed, and its amount, if it counts."""
    tests: list[dict[str, Any]] = [
        {"$gt": ["$amount", -_LARGEST_AMOUNT]},
        {"$lt": ["$amount", _LARGEST_AMOUNT]},
        {"$eq": [{"$type": "$currency"}, "string"]},
    ]
    if question.has_calendar:
        tests += [{"$gt": ["$date", _EARLIEST_DATE]}, {"$lt": ["$date", _LATEST_DATE]}]
    is_sound = {"$and": tests}
    amount: dict[str, Any] = {"$toDecimal": "$amount"}
    currency: dict[str, Any] = {"$toUpper": "$currency"}
    if question.conversion:
        # An amount of 15 digits times a rate of 15 is exact in the 34 that a decimal has.
        rates = [
            {"case": {"$eq": [currency, name]}, "then": {"$multiply": [amount, Decimal128(rate)]}}
            for name, rate in question.conversion.rates
        ]
        amount = {"$switch": {"branches": rates, "default": None}}
        known = [name for name, _ in question.conversion.rates]
        currency = {"$cond": [{"$in": [currency, known]}, question.conversion.into, currency]}
    if not question.has_amounts:
        currency = {"$literal": ""}
    is_amount_read = question.has_amounts or _RANGE in question.keys
    return {
        "_id": 0,
        **({"at": {"$cond": [is_sound, {"$toLong": "$date"}, None]}} if question.has_calendar else {}),
        **{key.value: _build_key(key, question, is_sound) for key in question.keys if key is not _RANGE},
        "amountCurrency": {"$cond": [is_sound, currency, None]},
        **({"amount": {"$cond": [is_sound, amount, None]}} if is_amount_read else {}),
    }


def _build_key(key: GroupKey, question: SummaryQuestion, is_sound: dict[str, Any]) -> dict[str, Any]:
    if not key.is_calendar:
        return build_text(key)
    zone = build_zone(question.time_zone, question.wanted.since, question.wanted.until)
    return {"$cond": [is_sound, build_label(key, zone), None]}


def _build_ranges(question: SummaryQuestion) -> list[dict[str, Any]]:
    """Have the ranges be those of the amounts that are summed up, which a conversion has changed."""
    return [{"$set": {_RANGE.value: build_range("$amount")}}] if _RANGE in question.keys else []


def _build_date(question: SummaryQuestion) -> dict[str, Any]:
    return {"at": {"$min": "$at"}} if question.has_calendar else {}


def _build_currencies(question: SummaryQuestion) -> list[dict[str, Any]]:
    """Give a document for each group and currency; with percentiles, by way of one for each amount in them."""
    texts = [key for key in question.keys if key.is_text]
    own = {name: f"${name}" for name in (*(key.value for key in question.keys), "amountCurrency")}
    # What no group counts is told by its currency alone, however many groups there are.
    rest = {"amountCurrency": "$amountCurrency"}
    group = {"$cond": [_build_counted(question, "$amountCurrency"), own, rest]}
    at = _build_date(question)
    spellings = {f"spelling_{key.value}": {"$min": build_spelling(key)} for key in texts}
    bounds = {"min": {"$min": "$amount"}, "max": {"$max": "$amount"}}
    if not question.has_amounts:
        return [{"$group": {"_id": group, "count": {"$sum": 1}, **at, **spellings}}]
    if not question.percentiles:
        sums = {"count": {"$sum": 1}, "sum": {"$sum": "$amount"}}
        return [{"$group": {"_id": group, **sums, **bounds, **at, **spellings}}]
    amount = "$_id.amount"
    total = {"count": {"$sum": "$count"}, "sum": {"$sum": {"$multiply": ["$count", amount]}}}
    ranks = {
        f"percentile_{number}": {"$min": {"$cond": [{"$gte": ["$rank", _build_rank(percentile)]}, amount, None]}}
        for number, percentile in enumerate(question.percentiles)
    }
    return [
        {"$group": {"_id": {"group": group, "amount": "$amount"}, "count": {"$sum": 1}, **at, **spellings}},
        {
            "$setWindowFields": {
                "partitionBy": "$_id.group",
                "sortBy": {"_id.amount": 1},
                "output": {
                    "rank": {"$sum": "$count", "window": {"documents": ["unbounded", "current"]}},
                    "total": {"$sum": "$count"},
                },
            }
        },
        {
            "$group": {
                "_id": "$_id.group",
                **total,
                "min": {"$min": amount},
                "max": {"$max": amount},
                **at,
                **{name: {"$min": f"${name}"} for name in spellings},
                **ranks,
            }
        },
    ]


def _build_counted(question: SummaryQuestion, currency: str) -> dict[str, Any]:
    """Say whether an amount belongs to a group: it is sound, and its currency can be converted."""
    return {"$eq": [currency, question.conversion.into]} if question.conversion else {"$ne": [currency, None]}


def _build_rank(percentile: Decimal) -> dict[str, Any]:
    """Give the nearest rank: the first from which on so many in a hundred, rounded up, have been counted."""
    return {"$ceil": {"$divide": [{"$multiply": ["$total", Decimal128(percentile)]}, 100]}}


def _build_groups(question: SummaryQuestion) -> dict[str, Any]:
    names = [key.value for key in question.keys]
    values = {f"percentile_{number}": f"$percentile_{number}" for number in range(len(question.percentiles))}
    amounts = {
        "currency": "$_id.amountCurrency",
        **{name: f"${name}" for name in ("count", "sum", "min", "max")},
        **values,
    }
    return {
        "_id": {
            "$cond": [_build_counted(question, "$_id.amountCurrency"), {name: f"$_id.{name}" for name in names}, None]
        },
        "count": {"$sum": "$count"},
        "sum": {"$sum": "$sum"},
        **_build_date(question),
        **{f"spelling_{key.value}": {"$min": f"$spelling_{key.value}"} for key in question.keys if key.is_text},
        "amounts": {"$push": amounts},
    }


def _build_spellings(question: SummaryQuestion) -> list[dict[str, Any]]:
    """Have a text spelt alike in all groups, where another key spreads it over several."""
    texts = [key.value for key in question.keys if key.is_text] if len(question.keys) > 1 else []
    return [
        {
            "$setWindowFields": {
                "partitionBy": f"$_id.{text}",
                "output": {f"spelling_{text}": {"$min": f"$spelling_{text}"}},
            }
        }
        for text in texts
    ]


def _build_order(question: SummaryQuestion) -> list[dict[str, Any]]:
    """Put the group without `_id` first, where no limit cuts it off, and the others in order.

    The groups of a series are ordered by schema/series.py, once its gaps are filled; it needs to be given the order of
    the keys that are no time.
    """
    places: dict[str, Any] = {"isWhole": {"$ne": ["$_id", None]}}
    if question.is_series:
        others = {f"_id.{key.value}": 1 for key in question.keys if not key.is_calendar}
        return [{"$set": places}, {"$sort": {"isWhole": 1, **others}}]
    keys = []
    for key in question.keys:
        if key is GroupKey.HOUR:
            # As text, an hour that comes twice would be in the order of its offsets.
            places["hour"] = {"$dateFromString": {"dateString": "$_id.hour"}}
            keys.append("hour")
        else:
            keys.append(f"_id.{key.value}")
    direction = question.order.direction
    order = {"isWhole": 1} | ({} if question.order.field == "key" else {question.order.field: direction})
    order |= dict.fromkeys(keys, direction if question.order.field == "key" else 1)
    return [{"$set": places}, {"$sort": order}]
