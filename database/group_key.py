"""Pure: what a summary groups by, and the expressions by which the database finds a document's groups."""

from enum import Enum
from typing import Any

from bson.decimal128 import Decimal128

# Where the ranges of amounts begin, each ending before the next one and the last nowhere.
AMOUNT_RANGES = (0, *(digit * 10**zeros for zeros in range(6) for digit in (1, 2, 5)), 1_000_000)


class GroupKey(Enum):
    """What transactions are grouped by: a text of the document, a range of amounts, or a unit of the calendar.

    In a group a text stands as it is, a range by where it begins, and a unit of the calendar by its label.
    """

    CARD_TYPE = "cardType"
    COUNTRY = "country"
    CURRENCY = "currency"
    VENDOR = "vendor"
    AMOUNT_RANGE = "amountRange"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    @property
    def is_calendar(self) -> bool:
        return self in _LABELS

    @property
    def is_text(self) -> bool:
        return not self.is_calendar and self is not GroupKey.AMOUNT_RANGE


# The labels tell the buckets of a zone apart, an hour that comes twice by its offset. Weeks are ISO 8601's.
_LABELS = {
    GroupKey.HOUR: "%Y-%m-%dT%H:00:00%z",
    GroupKey.DAY: "%Y-%m-%d",
    GroupKey.WEEK: "%G-W%V",
    GroupKey.MONTH: "%Y-%m",
}
_DOCUMENT_KEYS = {GroupKey.COUNTRY: "countryOrigin"}


def build_label(key: GroupKey, zone: Any) -> dict[str, Any]:  # noqa: ANN401 - an expression of the database, which a constant is too
    """Name the unit of the calendar that a document's date is in; the date must be a number within Python's years.

    `zone` is the expression of database/zone.py.
    """
    # $toLong, for $toDate takes neither 32-bit integers nor, without rounding, decimals.
    date = {"$toDate": {"$toLong": "$date"}}
    return {"$dateToString": {"date": date, "format": _LABELS[key], "timezone": zone}}


def build_text(key: GroupKey) -> dict[str, Any]:
    """Give a document's text, or null for what is none."""
    field = f"${_DOCUMENT_KEYS.get(key, key.value)}"
    return {"$cond": [{"$eq": [{"$type": field}, "string"]}, field, None]}


def build_spelling(key: GroupKey) -> dict[str, Any]:
    """Give a text as the only key of an object: such keys are compared by their bytes, whatever the collation."""
    field = f"${key.value}"
    # A key holds no NUL.
    name = {"$replaceAll": {"input": field, "find": "\0", "replacement": ""}}
    return {"$cond": [{"$eq": [field, None]}, None, {"$arrayToObject": [[[name, 1]]]}]}


def build_range(amount: str) -> Any:  # noqa: ANN401 - an expression of the database, which a constant is too
    """Give where the range of a decimal begins; null below all of them, and for what is no number."""
    return _build_search(amount, AMOUNT_RANGES, None)


def _build_search(amount: str, starts: tuple[int, ...], found: int | None) -> Any:  # noqa: ANN401 - as above
    """Halve the ranges at each comparison: five are enough, where one after the other would be twenty."""
    if not starts:
        return found
    middle = len(starts) // 2
    return {
        "$cond": [
            {"$gte": [amount, Decimal128(str(starts[middle]))]},
            _build_search(amount, starts[middle + 1 :], starts[middle]),
            _build_search(amount, starts[:middle], found),
        ]
    }
