"""A document as it may be seen, its card number masked unless told otherwise, and its numbers as ours are."""

from math import nan
from typing import Any, TypeAlias

from bson.decimal128 import Decimal128

Row: TypeAlias = dict[str, Any]

MASK = "*" * 12
# The last four digits are shown only of what is long enough to be a card number (ISO/IEC 7812: 8 digits or more).
_SHORTEST_NUMBER = 8
_ABSENT = object()
_ODD_DATES = frozenset({float, Decimal128})


def mask_card_number(number: object) -> str:
    """Give `************1111`: twelve asterisks and the last four characters, or none of a number that is too short."""
    if isinstance(number, str):
        text = number
    else:
        # A program without whole numbers of 64 bits may have stored a double.
        text = str(int(number) if isinstance(number, float) and number.is_integer() else number)
    return MASK + text[-4:] if len(text) >= _SHORTEST_NUMBER else MASK


def shape_rows(rows: list[Row], *, is_masking: bool) -> list[Row]:
    """Mask the card numbers, and give the numbers that other programs have stored in kinds of their own as ours."""
    if is_masking:
        for row in rows:
            number = row.get("cardNumber", _ABSENT)
            # Nearly all are such; a call for each would take longer than all else here.
            if type(number) is str and len(number) >= _SHORTEST_NUMBER:
                row["cardNumber"] = MASK + number[-4:]
            elif number is not _ABSENT:
                row["cardNumber"] = mask_card_number(number)
    if not _ODD_DATES.isdisjoint({type(row.get("date")) for row in rows}):
        for row in rows:
            _mend_date(row)
    if Decimal128 in {type(row.get("amount")) for row in rows}:
        for row in rows:
            _mend_amount(row)
    return rows


def shape_row(row: Row, *, is_masking: bool) -> Row:
    """Change a document into what may be seen of it, and give it."""
    return shape_rows([row], is_masking=is_masking)[0]


def _mend_date(row: Row) -> None:
    date = row.get("date")
    if isinstance(date, Decimal128):
        date = row["date"] = _read_decimal(date)
    if isinstance(date, float) and date.is_integer():
        row["date"] = int(date)


def _mend_amount(row: Row) -> None:
    if isinstance(amount := row.get("amount"), Decimal128):
        row["amount"] = _read_decimal(amount)


def _read_decimal(number: Decimal128) -> float:
    decimal = number.to_decimal()
    # Python makes no double of a NaN that signals, which a document may hold too.
    return nan if decimal.is_nan() else float(decimal)
