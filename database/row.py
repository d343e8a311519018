"""A document as a caller may see it: its card number masked, its numbers of the types that our own documents have."""

from decimal import Context, Decimal
from math import nan
from typing import Any, TypeAlias

from bson.decimal128 import Decimal128

Row: TypeAlias = dict[str, Any]

MASK = "*" * 12
# The last four digits are shown only of what is long enough to be a card number (ISO/IEC 7812: 8 digits or more).
_SHORTEST_NUMBER = 8
_ABSENT = object()
_ODD_NUMBERS = frozenset({float, Decimal128})
_LONG = 2**63
# All digits that a decimal of the database has.
_DECIMAL128 = Context(prec=34)


class MendedRow(dict[str, Any]):
    """A document of which a number is given as the double next to it.

    Attributes:
        stored: what the database holds instead and orders by, by its key.
    """

    __slots__ = ("stored",)

    def __init__(self, row: Row, stored: dict[str, Decimal]) -> None:
        super().__init__(row)
        self.stored = stored


def mask_card_number(number: object) -> str:
    """Give `************1111`: twelve asterisks and the last four characters, or none of a number that is too short."""
    if isinstance(number, str):
        text = number
    else:
        # A program without whole numbers of 64 bits may have stored a double.
        text = str(int(number) if isinstance(number, float) and number.is_integer() else number)
    return MASK + text[-4:] if len(text) >= _SHORTEST_NUMBER else MASK


def shape_rows(rows: list[Row], *, is_masking: bool) -> list[Row]:
    """Mask the card numbers, and turn numbers that other programs have stored as other types into the types of ours."""
    if is_masking:
        for row in rows:
            number = row.get("cardNumber", _ABSENT)
            # Nearly all are such; a call for each would take longer than all else here.
            if type(number) is str and len(number) >= _SHORTEST_NUMBER:
                row["cardNumber"] = MASK + number[-4:]
            elif number is not _ABSENT:
                row["cardNumber"] = mask_card_number(number)
    if not _ODD_NUMBERS.isdisjoint({type(row.get("date")) for row in rows}):
        rows = [_mend_date(row) for row in rows]
    if Decimal128 in {type(row.get("amount")) for row in rows}:
        rows = [_mend_decimal(row, "amount") for row in rows]
    return rows


def shape_row(row: Row, *, is_masking: bool) -> Row:
    """Change a document into what may be seen of it, and give it."""
    return shape_rows([row], is_masking=is_masking)[0]


def _mend_date(row: Row) -> Row:
    row = _mend_decimal(row, "date")
    date = row.get("date")
    # Of more than 64 bits neither JSON nor BSON can be written.
    if isinstance(date, float) and date.is_integer() and -_LONG <= date < _LONG:
        row["date"] = int(date)
    return row


def _mend_decimal(row: Row, key: str) -> Row:
    """Give a decimal as a double, and where no double is the same, what it was besides."""
    stored = row.get(key)
    if not isinstance(stored, Decimal128):
        return row
    decimal = stored.to_decimal()
    # Python makes no double of a NaN that signals, which a document may hold too.
    row[key] = nan if decimal.is_nan() else float(decimal)
    if not decimal.is_finite() or Decimal(row[key]) == decimal:
        return row
    # Written in one way, for the server takes 1.10 and 1.1 for equal.
    exact = _DECIMAL128.normalize(decimal)
    return MendedRow(row, {**(row.stored if isinstance(row, MendedRow) else {}), key: exact})
