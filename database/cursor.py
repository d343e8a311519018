"""Opaque keyset cursors: a position in an ordered result, as text. A cursor holds only the order, a value and an id."""

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

# Long enough to detect accidental changes. It need not resist forgery, since a position holds no secret.
_CHECKSUM_BYTES = 6
_MAX_LENGTH = 2_000
_ACCEPTED = "one as a page returned it (endCursor, startCursor, an edge's cursor, or the `after` of a Link header)"
# `<date>,<_id>`, never mistaken for a cursor, which has no comma.
_ROW = re.compile(r"(-?[0-9]{1,16}),(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Position:
    """A position in an order: the sort field's value and the `_id` of the row there, of whatever types.

    A stored decimal that no double equals is given as a Python Decimal.
    """

    value: object
    id: object


def write_value(position: Position) -> object:
    """Return a position's value in its BSON type."""
    return Decimal128(position.value) if isinstance(position.value, Decimal) else position.value


def encode_cursor(order: str, position: Position) -> str:
    """Encode a position in the named order as URL-safe text.

    Raises:
        MalformedDocumentError: the row's sort value is not a number, or its id is neither an ObjectId nor a short text.
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
    """Decode a cursor that `encode_cursor` wrote.

    Args:
        text: the cursor as the caller sent it.
        order: the name of the order of the current request.
        field: the name of the input, for the message.
        accepted: what the input accepts, for the message.

    Raises:
        InvalidCursorError: the text is not a cursor of this gateway, was altered, or belongs to another order.
    """
    found = _find_position(text)
    if found is None:
        raise InvalidCursorError(
            f"{field} is not a cursor of this gateway, or was altered; give {accepted}.",
        )
    written_order, position = found
    if written_order != order:
        raise InvalidCursorError(
            f"{field} is a cursor of the order {written_order}; this query is in the order {order}. "
            "Use the cursor's order, or start again without it.",
        )
    return position


def find_row_position(text: str) -> Position | None:
    """Parse `<date>,<_id>`, both as REST writes them, into a position by date; None if the text has another form.

    An id of 24 hexadecimal digits is read as an ObjectId.
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
            # A forged cursor may hold anything: allow only these types into a query, never operators.
            case {"order": str(order), "value": value, "id": str() | ObjectId() as row_id}:
                value = value.to_decimal() if isinstance(value, Decimal128) else value
                return (order, Position(value, row_id)) if _is_sortable(value) else None
    except (ValueError, BSONError):
        return None
    return None


def _is_sortable(value: object) -> bool:
    """Return whether a value is a number that has a place in the order; NaN has none."""
    if isinstance(value, Decimal):
        return value.is_finite()
    return isinstance(value, int | float) and not isinstance(value, bool) and not isnan(value)


def _checksum(body: bytes) -> bytes:
    return blake2b(body, digest_size=_CHECKSUM_BYTES, person=b"transaction page").digest()
