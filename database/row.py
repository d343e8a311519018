"""Shape a document for a caller: mask its card number, and convert its numbers to the declared types."""

from decimal import Context, Decimal
from math import nan
from typing import Any, TypeAlias

from bson.decimal128 import Decimal128

Row: TypeAlias = dict[str, Any]

MASK = "*" * 12
# The last four digits are shown only if the text is long enough for a card number (ISO/IEC 7812: 8 digits or more).
_SHORTEST_NUMBER = 8
_ABSENT = object()
_ODD_NUMBERS = frozenset({float, Decimal128})
_LONG = 2**63
# The precision of BSON's decimal128.
_DECIMAL128 = Context(prec=34)


class ConvertedRow(dict[str, Any]):
    """A document in which the nearest double replaces a decimal.

    Attributes:
        stored: by key, the exact value that the database holds and sorts by.
    """

    __slots__ = ("stored",)

    def __init__(self, row: Row, stored: dict[str, Decimal]) -> None:
        super().__init__(row)
        self.stored = stored


def mask_card_number(number: object) -> str:
    """Return `************1111`: twelve asterisks and the last four characters, omitted if the number is too short."""
    if isinstance(number, str):
        text = number
    else:
        # A program without 64-bit integers may have stored a double.
        text = str(int(number) if isinstance(number, float) and number.is_integer() else number)
    return MASK + text[-4:] if len(text) >= _SHORTEST_NUMBER else MASK


def shape_rows(rows: list[Row], *, is_masking: bool) -> list[Row]:
    """Mask the card numbers, and convert dates and amounts that other programs stored in other types.

    The rows may be modified in place.
    """
    if is_masking:
        for row in rows:
            number = row.get("cardNumber", _ABSENT)
            # The common case is inline: a function call per row would take longer than everything else here.
            if type(number) is str and len(number) >= _SHORTEST_NUMBER:
                row["cardNumber"] = MASK + number[-4:]
            elif number is not _ABSENT:
                row["cardNumber"] = mask_card_number(number)
    if not _ODD_NUMBERS.isdisjoint({type(row.get("date")) for row in rows}):
        rows = [_convert_date(row) for row in rows]
    if Decimal128 in {type(row.get("amount")) for row in rows}:
        rows = [_convert_decimal(row, "amount") for row in rows]
    return rows


def shape_row(row: Row, *, is_masking: bool) -> Row:
    """Shape one document as `shape_rows` does."""
    return shape_rows([row], is_masking=is_masking)[0]


def _convert_date(row: Row) -> Row:
    row = _convert_decimal(row, "date")
    date = row.get("date")
    # Neither orjson nor BSON can write integers of more than 64 bits.
    if isinstance(date, float) and date.is_integer() and -_LONG <= date < _LONG:
        row["date"] = int(date)
    return row


def _convert_decimal(row: Row, key: str) -> Row:
    """Convert a decimal to a double; if no double equals it, keep the exact value in a ConvertedRow."""
    stored = row.get(key)
    if not isinstance(stored, Decimal128):
        return row
    decimal = stored.to_decimal()
    # A document may hold a signalling NaN, which Python cannot convert to a float.
    row[key] = nan if decimal.is_nan() else float(decimal)
    if not decimal.is_finite() or Decimal(row[key]) == decimal:
        return row
    # One form for equal values: the server treats 1.10 and 1.1 as equal.
    exact = _DECIMAL128.normalize(decimal)
    return ConvertedRow(row, {**(row.stored if isinstance(row, ConvertedRow) else {}), key: exact})
