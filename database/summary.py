"""Pure: build one aggregation from a request for totals. A plan describes it; repository.py runs it."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

from bson.decimal128 import Decimal128

from database.group_key import GroupKey, build_label, build_range, build_spelling, build_text
from database.index import CASE_INSENSITIVE
from database.query import TransactionFilter, build_match
from database.zone import build_zone

# More groups than this are no summary; a plan returns one more, which shows that there are too many.
MAX_GROUPS = 10_000
# The limit on amounts, one for each currency of each group: each costs the gateway some 50 µs.
MAX_AMOUNTS = 50_000

# $toDecimal keeps 15 significant digits of a double: above this limit not even whole amounts are exact. The bounds also
# exclude NaN, which sorts below all numbers, and values that are not numbers, which sort below or above them.
_LARGEST_AMOUNT = 1e15
# The years 2 to 9998, so that neither an ISO week nor an offset leads outside the years that a date can be written in.
_EARLIEST_DATE, _LATEST_DATE = -62_104_060_800_000, 253_370_764_800_000
_RANGE = GroupKey.AMOUNT_RANGE


class SummaryOrder(Enum):
    """An order of the groups: the sort field and the direction. Equal groups are ordered by their keys, ascending."""

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
    """The conversion of all amounts into one currency.

    Attributes:
        into: the target currency, ISO 4217, in upper case.
        rates: the value of one unit of each currency in `into`, which is itself among them.
    """

    into: str
    rates: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True, slots=True)
class SummaryRequest:
    """What to summarise, and how.

    Attributes:
        wanted: which transactions.
        keys: what they are grouped by: none for one total, one key, or two different ones.
        time_zone: the IANA name, for calendar keys.
        percentiles: from 0 to 100.
        conversion: converts all amounts into one currency; without it, each currency has its own sums.
        order: the order of the groups; by sum only with a conversion.
        top: the number of groups to return, in that order; None for all.
        has_amounts: whether amounts are summed by currency; counting alone takes half as long. Required for a
            conversion.
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
        """Whether gaps in time must be filled; they are not if `top` truncates the groups."""
        return self.has_calendar and self.top is None


@dataclass(frozen=True, slots=True)
class SummaryPlan:
    """The arguments of an aggregate command.

    Each document of the result is a group: `_id`, its keys by name; `count`; `at`, the date of its first transaction;
    `spelling_<key>`, an object whose only key is the text; and `amounts`, one for each currency, or a single one with
    only a count if amounts are not summed. The group whose `_id` is null holds the omitted transactions: those with a
    malformed amount, currency or date (without a currency), and those whose currency has no rate (with it).
    """

    pipeline: list[dict[str, Any]]
    # Always case-insensitive: texts that differ only in case form one group, as filters treat them as equal.
    collation: dict[str, Any]


def build_summary_plan(request: SummaryRequest) -> SummaryPlan:
    """Describe at most `top`, else MAX_GROUPS + 1, groups of a request, and the group whose `_id` is null."""
    match = build_match(request.wanted)
    pipeline: list[dict[str, Any]] = [{"$match": match}] if match else []
    pipeline += [
        {"$project": _build_shape(request)},
        *_build_ranges(request),
        *_build_currencies(request),
        {"$group": _build_groups(request)},
        *_build_spellings(request),
        *_build_order(request),
        {"$limit": 1 + (request.top or MAX_GROUPS + 1)},
    ]
    return SummaryPlan(pipeline, CASE_INSENSITIVE)


def _build_shape(request: SummaryRequest) -> dict[str, Any]:
    """Project each document's keys, its currency (null if the document is malformed), and its amount if needed."""
    tests: list[dict[str, Any]] = [
        {"$gt": ["$amount", -_LARGEST_AMOUNT]},
        {"$lt": ["$amount", _LARGEST_AMOUNT]},
        {"$eq": [{"$type": "$currency"}, "string"]},
    ]
    if request.has_calendar:
        tests += [{"$gt": ["$date", _EARLIEST_DATE]}, {"$lt": ["$date", _LATEST_DATE]}]
    is_sound = {"$and": tests}
    amount: dict[str, Any] = {"$toDecimal": "$amount"}
    currency: dict[str, Any] = {"$toUpper": "$currency"}
    if request.conversion:
        # An amount of 15 digits times a rate of 15 digits is exact in the 34 digits of a decimal128.
        rates = [
            {"case": {"$eq": [currency, name]}, "then": {"$multiply": [amount, Decimal128(rate)]}}
            for name, rate in request.conversion.rates
        ]
        amount = {"$switch": {"branches": rates, "default": None}}
        known = [name for name, _ in request.conversion.rates]
        currency = {"$cond": [{"$in": [currency, known]}, request.conversion.into, currency]}
    if not request.has_amounts:
        currency = {"$literal": ""}
    is_amount_read = request.has_amounts or _RANGE in request.keys
    return {
        "_id": 0,
        **({"at": {"$cond": [is_sound, {"$toLong": "$date"}, None]}} if request.has_calendar else {}),
        **{key.value: _build_key(key, request, is_sound) for key in request.keys if key is not _RANGE},
        "amountCurrency": {"$cond": [is_sound, currency, None]},
        **({"amount": {"$cond": [is_sound, amount, None]}} if is_amount_read else {}),
    }


def _build_key(key: GroupKey, request: SummaryRequest, is_sound: dict[str, Any]) -> dict[str, Any]:
    if not key.is_calendar:
        return build_text(key)
    zone = build_zone(request.time_zone, request.wanted.since, request.wanted.until)
    return {"$cond": [is_sound, build_label(key, zone), None]}


def _build_ranges(request: SummaryRequest) -> list[dict[str, Any]]:
    """Compute ranges from the amounts that are summed, after any conversion."""
    return [{"$set": {_RANGE.value: build_range("$amount")}}] if _RANGE in request.keys else []


def _build_date(request: SummaryRequest) -> dict[str, Any]:
    return {"at": {"$min": "$at"}} if request.has_calendar else {}


def _build_currencies(request: SummaryRequest) -> list[dict[str, Any]]:
    """Group by key and currency; for percentiles, first by amount within those."""
    texts = [key for key in request.keys if key.is_text]
    own = {name: f"${name}" for name in (*(key.value for key in request.keys), "amountCurrency")}
    # Omitted transactions are grouped only by currency, whatever their keys.
    rest = {"amountCurrency": "$amountCurrency"}
    group = {"$cond": [_build_counted(request, "$amountCurrency"), own, rest]}
    at = _build_date(request)
    spellings = {f"spelling_{key.value}": {"$min": build_spelling(key)} for key in texts}
    bounds = {"min": {"$min": "$amount"}, "max": {"$max": "$amount"}}
    if not request.has_amounts:
        return [{"$group": {"_id": group, "count": {"$sum": 1}, **at, **spellings}}]
    if not request.percentiles:
        sums = {"count": {"$sum": 1}, "sum": {"$sum": "$amount"}}
        return [{"$group": {"_id": group, **sums, **bounds, **at, **spellings}}]
    amount = "$_id.amount"
    total = {"count": {"$sum": "$count"}, "sum": {"$sum": {"$multiply": ["$count", amount]}}}
    ranks = {
        f"percentile_{number}": {"$min": {"$cond": [{"$gte": ["$rank", _build_rank(percentile)]}, amount, None]}}
        for number, percentile in enumerate(request.percentiles)
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


def _build_counted(request: SummaryRequest, currency: str) -> dict[str, Any]:
    """Test whether an amount belongs to a group: it is well-formed, and its currency can be converted."""
    return {"$eq": [currency, request.conversion.into]} if request.conversion else {"$ne": [currency, None]}


def _build_rank(percentile: Decimal) -> dict[str, Any]:
    """Build the nearest rank of a percentile: that percentage of the total, rounded up."""
    return {"$ceil": {"$divide": [{"$multiply": ["$total", Decimal128(percentile)]}, 100]}}


def _build_groups(request: SummaryRequest) -> dict[str, Any]:
    names = [key.value for key in request.keys]
    values = {f"percentile_{number}": f"$percentile_{number}" for number in range(len(request.percentiles))}
    amounts = {
        "currency": "$_id.amountCurrency",
        **{name: f"${name}" for name in ("count", "sum", "min", "max")},
        **values,
    }
    return {
        "_id": {
            "$cond": [_build_counted(request, "$_id.amountCurrency"), {name: f"$_id.{name}" for name in names}, None]
        },
        "count": {"$sum": "$count"},
        "sum": {"$sum": "$sum"},
        **_build_date(request),
        **{f"spelling_{key.value}": {"$min": f"$spelling_{key.value}"} for key in request.keys if key.is_text},
        "amounts": {"$push": amounts},
    }


def _build_spellings(request: SummaryRequest) -> list[dict[str, Any]]:
    """Give a text the same spelling in all groups if a second key spreads it over several."""
    texts = [key.value for key in request.keys if key.is_text] if len(request.keys) > 1 else []
    return [
        {
            "$setWindowFields": {
                "partitionBy": f"$_id.{text}",
                "output": {f"spelling_{text}": {"$min": f"$spelling_{text}"}},
            }
        }
        for text in texts
    ]


def _build_order(request: SummaryRequest) -> list[dict[str, Any]]:
    """Sort the group whose `_id` is null first, so that the limit never cuts it off, then the others in order.

    schema/series.py sorts the groups of a series after it fills the gaps; it needs them sorted by the keys that are not
    calendar keys.
    """
    places: dict[str, Any] = {"isWhole": {"$ne": ["$_id", None]}}
    if request.is_series:
        others = {f"_id.{key.value}": 1 for key in request.keys if not key.is_calendar}
        return [{"$set": places}, {"$sort": {"isWhole": 1, **others}}]
    keys = []
    for key in request.keys:
        if key is GroupKey.HOUR:
            # Sorted as text, an hour that occurs twice would be ordered by its offset.
            places["hour"] = {"$dateFromString": {"dateString": "$_id.hour"}}
            keys.append("hour")
        else:
            keys.append(f"_id.{key.value}")
    direction = request.order.direction
    order = {"isWhole": 1} | ({} if request.order.field == "key" else {request.order.field: direction})
    order |= dict.fromkeys(keys, direction if request.order.field == "key" else 1)
    return [{"$set": places}, {"$sort": order}]
