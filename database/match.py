"""Pure: decide in memory whether a document matches a filter, as MongoDB would, unless only the server can decide.

query.py defines the conditions; a test against a real server keeps `match` consistent with them.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bson.decimal128 import Decimal128

from database.cell import is_plain
from database.query import TransactionFilter


def match(document: Mapping[str, Any], wanted: TransactionFilter) -> bool | None:
    """Return whether a document matches; None if only the server can decide, by query.py's conditions and collation."""
    results = (
        _match_range(document.get("date"), wanted.since, wanted.until),
        _match_range(document.get("amount"), wanted.min_amount, wanted.max_amount),
        _match_name(document.get("cardType"), wanted.card_type),
        _match_name(document.get("countryOrigin"), wanted.country),
    )
    if False in results:
        return False
    return None if None in results else True


def _match_range(value: object, least: Decimal | int | None, most: Decimal | int | None) -> bool | None:
    if least is None and most is None:
        return True
    # An array matches if any element does; only the server knows how it rounds decimals compared with doubles.
    if isinstance(value, list | Decimal128):
        return None
    # Only Python treats a bool as a number. NaN lies in no range.
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return (least is None or value >= _to_number(least)) and (most is None or value <= _to_number(most))


def _to_number(end: Decimal | int) -> float:
    # Up to 15 significant digits, decimals and doubles map one to one, so the double compares as the decimal does.
    return float(end) if isinstance(end, Decimal) else end


def _match_name(value: object, name: str | None) -> bool | None:
    if name is None:
        return True
    if isinstance(value, list):
        return None
    # BSON's JavaScript code is a subclass of str in Python, but not a string to the server.
    if type(value) is not str:
        return False
    if is_plain(value) and is_plain(name):
        return value.lower() == name.lower()
    return None
