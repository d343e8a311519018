"""The custom scalars: exact amounts and instants, converted directly from the numbers in the documents."""

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from itertools import repeat
from typing import Any

import orjson
import strawberry
from graphql import FloatValueNode, GraphQLError, IntValueNode, StringValueNode, ValueNode
from strawberry.types.scalar import ScalarDefinition

from database.errors import InvalidAmountError, MalformedDocumentError, quote_value

# Numbers that other programs may have stored as strings.
_DECIMAL = re.compile(r"-?([0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?|Infinity)|NaN")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR_MS = 3_600_000
# The parts of an instant after its hour, as RFC 3339 writes them.
_SECONDS = [f"{second // 60:02}:{second % 60:02}." for second in range(3_600)]
_MILLISECONDS = [f"{millisecond:03}Z" for millisecond in range(1_000)]


def serialize_decimal(amount: object) -> str:
    """Return an amount's digits, the same as in REST's JSON number (a float's repr is exact).

    Raises:
        MalformedDocumentError: the document's value is neither a number nor a string that holds one.
    """
    if isinstance(amount, float):
        amount = Decimal(repr(amount))
    if isinstance(amount, Decimal):
        return format(amount, "f")
    if isinstance(amount, bool) or not isinstance(amount, int | str) or not _DECIMAL.fullmatch(text := str(amount)):
        raise MalformedDocumentError("A selected transaction's amount is not a number.")
    return text


def serialize_decimals(amounts: Sequence[float]) -> list[str]:
    """Return what `serialize_decimal` returns for each amount, faster."""
    text = orjson.dumps(amounts)[1:-1].decode()
    # orjson writes very large and small numbers with an exponent and NaN as null, unlike `serialize_decimal`.
    return list(map(serialize_decimal, amounts)) if "e" in text or "n" in text else text.split(",")


def parse_decimal(value: object) -> Decimal | str:
    """Parse a JSON number, but return a string unchanged: its field's own parser reads it and can name the field.

    Raises:
        GraphQLError: the value is neither; its code is INVALID_AMOUNT.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Decimal(str(value))
    raise _refuse(f'{quote_value(value)} is not a decimal number; give one such as "100.00".')


def serialize_datetime(milliseconds: float) -> str:
    """Return ms since the epoch as RFC 3339, in UTC and with milliseconds.

    Raises:
        MalformedDocumentError: the document's value is not a number, or is outside the years 1 to 9999.
    """
    instant = None
    with suppress(TypeError, ValueError, OverflowError):
        instant = _EPOCH + timedelta(milliseconds=milliseconds)
    # Python counts a Boolean as a number; JSON and BSON do not.
    if instant is None or isinstance(milliseconds, bool):
        raise MalformedDocumentError("A selected transaction's date is not a number of milliseconds.")
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def serialize_datetimes(instants: Iterable[int]) -> list[str]:
    """Return what `serialize_datetime` returns for each, faster; raises OverflowError outside the years 1 to 9999."""
    return [
        f"{_serialize_hour(hour)}{_SECONDS[rest // 1_000]}{_MILLISECONDS[rest % 1_000]}"
        for hour, rest in map(divmod, instants, repeat(_HOUR_MS))
    ]


# More than the hours of a year: a large page of a small collection may span them all.
@lru_cache(maxsize=16_384)
def _serialize_hour(hour: int) -> str:
    return (_EPOCH + timedelta(hours=hour)).isoformat(timespec="hours").replace("+00:00", ":")


def _parse_decimal_literal(node: ValueNode, _variables: dict[str, Any] | None = None) -> Decimal | str:
    if isinstance(node, IntValueNode | FloatValueNode):
        with suppress(InvalidOperation):  # the exponent is beyond Decimal's range
            return Decimal(node.value)
    if isinstance(node, StringValueNode | IntValueNode | FloatValueNode):
        return node.value
    raise _refuse('Only a decimal number is accepted here, such as "100.00".', node)


def _refuse(message: str, node: ValueNode | None = None) -> GraphQLError:
    # A GraphQLError reaches the caller unchanged, without a location if it has none; graphql-core rewords any other.
    return GraphQLError(message, node, original_error=InvalidAmountError(message))


SCALARS: dict[object, ScalarDefinition] = {
    Decimal: strawberry.scalar(
        name="Decimal",
        description='An exact decimal number, written as a string: "100.00". As input a number is accepted too.',
        serialize=serialize_decimal,
        parse_value=parse_decimal,
        parse_literal=_parse_decimal_literal,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description='An instant in UTC with milliseconds (RFC 3339): "2026-11-23T12:17:00.000Z".',
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=serialize_datetime,
    ),
}
