"""Opaque keyset cursors: a position in an ordered answer, as text. One holds a sort value and an id, nothing else."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from math import isnan

import bson
from bson.decimal128 import Decimal128
from bson.errors import BSONError
from bson.objectid import ObjectId

from database.errors import InvalidCursorError, MalformedDocumentError, quote_value

# Long enough that no slip of a hand or a program passes; a forger gains nothing, for a position holds no secret.
_CHECKSUM_BYTES = 6
_MAX_LENGTH = 2_000
_ACCEPTED = "one as a page returned it (endCursor, startCursor, an edge's cursor, or the `after` of a Link header)"
# No cursor has a comma.
_ROW = re.compile(r"(-?[0-9]{1,16}),(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Position:
    """A place in an order: the sort field's value and the `_id` of the row that stands there, whatever their types.

    The value of a decimal that no double is the same as is Python's.
    """

    value: object
    id: object


def write_value(position: Position) -> object:
    """Give a position's value as BSON has it."""
    return Decimal128(position.value) if isinstance(position.value, Decimal) else position.value


def encode_cursor(order: str, position: Position) -> str:
    """Write a position in the named order as URL-safe text.

    Raises:
        MalformedDocumentError: the row's sort value or id is of no type that an order can be continued from.
    """
    if _is_sortable(position.value) and isinstance(position.id, str | ObjectId):
        body = bson.encode({"order": order, "value": write_value(position), "id": position.id})
        text = urlsafe_b64encode(_checksum(body) + body).rstrip(b"=").decode()
        if len(text) <= _MAX_LENGTH:
            return text
    raise MalformedDocumentError(
        f"The transaction {quote_value(position.id)} cannot end a page in the order {order}: its sort value is not a "
        "number, or its id is neither a short text nor an ObjectId."
    )


def decode_cursor(text: str, *, order: str, field: str, accepted: str = _ACCEPTED) -> Position:
    """Read back what `encode_cursor` wrote.

    Args:
        text: the cursor as the caller gave it.
        order: the name of the order that is asked for now.
        field: the name of the input, for the message.
        accepted: what may be given there, for the message.

    Raises:
        InvalidCursorError: not a cursor of this gateway, altered, or of another order.
    """
    found = _find_position(text)
    if found is None:
        raise InvalidCursorError(
            f"{field} is not a cursor of this gateway, or was altered; give {accepted}.",
        )
    written_order, position = found
    if written_order != order:
        raise InvalidCursorError(
            f"{field} is a cursor of the order {written_order}; this question is in the order {order}. "
            "Ask in the cursor's order, or start again without it.",
        )
    return position


def find_row_position(text: str) -> Position | None:
    """Read `<date>,<_id>`, as REST writes both of a row, as that row's place by date; None if it is of another form.

    An id of 24 hexadecimal digits is taken for an ObjectId, whose text it is.
    """
    match = _ROW.fullmatch(text)
    if match is None or len(text) > _MAX_LENGTH:
        return None
    date, row_id = match.groups()
    return Position(int(date), ObjectId(row_id) if ObjectId.is_valid(row_id) else row_id)


def _find_position(text: str) -> tuple[str, Position] | None:
    if len(text) > _MAX_LENGTH or not text.isascii():
        return None
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        body = raw[_CHECKSUM_BYTES:]
        if raw[:_CHECKSUM_BYTES] != _checksum(body) or urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
            return None
        match bson.decode(body):
            # A forged cursor may hold anything; only these types may stand where a query compares, never operators.
            case {"order": str(order), "value": value, "id": str() | ObjectId() as row_id}:
                value = value.to_decimal() if isinstance(value, Decimal128) else value
                return (order, Position(value, row_id)) if _is_sortable(value) else None
    except (ValueError, BSONError):
        return None
    return None


def _is_sortable(value: object) -> bool:
    """Say whether a value is a number in an order of numbers, which NaN is not."""
    if isinstance(value, Decimal):
        return value.is_finite()
    return isinstance(value, int | float) and not isinstance(value, bool) and not isnan(value)


def _checksum(body: bytes) -> bytes:
    return blake2b(body, digest_size=_CHECKSUM_BYTES, person=b"transaction page").digest()
