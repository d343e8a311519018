"""Pure: what a summary groups by, and the server's expressions for a document's groups."""

from enum import Enum
from typing import Any

from bson.decimal128 import Decimal128

# The lower bounds of the ranges of amounts; each range ends before the next one, and the last is unbounded.
AMOUNT_RANGES = (0, *(digit * 10**zeros for zeros in range(6) for digit in (1, 2, 5)), 1_000_000)


class GroupKey(Enum):
    """What transactions are grouped by: a text field, a range of amounts, or a calendar unit.

    A group's key is the text itself, the lower bound of the range, or the label of the calendar unit.
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


# Each bucket of a zone has its own label: an hour that occurs twice differs in its offset. Weeks follow ISO 8601.
_LABELS = {
    GroupKey.HOUR: "%Y-%m-%dT%H:00:00%z",
    GroupKey.DAY: "%Y-%m-%d",
    GroupKey.WEEK: "%G-W%V",
    GroupKey.MONTH: "%Y-%m",
}
_DOCUMENT_KEYS = {GroupKey.COUNTRY: "countryOrigin"}


def build_label(key: GroupKey, zone: Any) -> dict[str, Any]:  # noqa: ANN401 - a server expression, maybe a constant
    """Build the label of the calendar unit of a document's date, which must be a number within Python's years.

    `zone` is an expression built by database/zone.py.
    """
    # $toLong, because $toDate does not accept 32-bit integers, and rounds decimals.
    date = {"$toDate": {"$toLong": "$date"}}
    return {"$dateToString": {"date": date, "format": _LABELS[key], "timezone": zone}}


def build_text(key: GroupKey) -> dict[str, Any]:
    """Build a document's text, or null if the field is not a string."""
    field = f"${_DOCUMENT_KEYS.get(key, key.value)}"
    return {"$cond": [{"$eq": [{"$type": field}, "string"]}, field, None]}


def build_spelling(key: GroupKey) -> dict[str, Any]:
    """Build an object with the text as its only key: keys are compared by their bytes, whatever the collation."""
    field = f"${key.value}"
    # A key cannot contain NUL.
    name = {"$replaceAll": {"input": field, "find": "\0", "replacement": ""}}
    return {"$cond": [{"$eq": [field, None]}, None, {"$arrayToObject": [[[name, 1]]]}]}


def build_range(amount: str) -> Any:  # noqa: ANN401 - a server expression, maybe a constant
    """Build the lower bound of a decimal's range; null below all ranges, and if it is not a number."""
    return _build_search(amount, AMOUNT_RANGES, None)


def _build_search(amount: str, starts: tuple[int, ...], found: int | None) -> Any:  # noqa: ANN401 - as above
    """Build a binary search: at most five comparisons, where a linear search needs twenty."""
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
