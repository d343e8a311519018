"""Pure: whether a document matches a filter, as MongoDB judges it. What only the server can judge is left to it.

The conditions and what they mean to the server are query.py's; `match` is held to them by a test on a real server.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bson.decimal128 import Decimal128

from database.cell import is_plain
from database.query import TransactionFilter


def match(document: Mapping[str, Any], wanted: TransactionFilter) -> bool | None:
    """Give whether a document matches; None where only the server can say, by query.py's conditions and collation."""
    verdicts = (
        _match_range(document.get("date"), wanted.since, wanted.until),
        _match_range(document.get("amount"), wanted.min_amount, wanted.max_amount),
        _match_name(document.get("cardType"), wanted.card_type),
        _match_name(document.get("countryOrigin"), wanted.country),
    )
    if False in verdicts:
        return False
    return None if None in verdicts else True


def _match_range(value: object, least: Decimal | int | None, most: Decimal | int | None) -> bool | None:
    if least is None and most is None:
        return True
    # One element of an array is enough; how decimals are rounded when they meet doubles, the server knows.
    if isinstance(value, list | Decimal128):
        return None
    # A truth value is a number to Python alone. NaN lies in no range.
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return (least is None or value >= _to_number(least)) and (most is None or value <= _to_number(most))


def _to_number(end: Decimal | int) -> float:
    # 15 significant digits and a double name each other exactly, so the double compares as the decimal does.
    return float(end) if isinstance(end, Decimal) else end


def _match_name(value: object, name: str | None) -> bool | None:
    if name is None:
        return True
    if isinstance(value, list):
        return None
    # JavaScript code is a text to Python alone.
    if type(value) is not str:
        return False
    if is_plain(value) and is_plain(name):
        return value.lower() == name.lower()
    return None
