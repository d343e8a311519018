"""The custom scalars: exact amounts and instants, straight from the numbers that the documents hold."""

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

# What other programs may have stored as texts of numbers.
_DECIMAL = re.compile(r"-?([0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?|Infinity)|NaN")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR_MS = 3_600_000
# The parts of an instant after its hour, as RFC 3339 writes them.
_SECONDS = [f"{second // 60:02}:{second % 60:02}." for second in range(3_600)]
_MILLISECONDS = [f"{millisecond:03}Z" for millisecond in range(1_000)]


def serialize_decimal(amount: object) -> str:
    """Give an amount's digits, the same as those of the JSON number that REST gives (a float's repr is exact).

    Raises:
        MalformedDocumentError: the document's value is neither a number nor the text of one.
    """
    if isinstance(amount, float):
        amount = Decimal(repr(amount))
    if isinstance(amount, Decimal):
        return format(amount, "f")
    if isinstance(amount, bool) or not isinstance(amount, int | str) or not _DECIMAL.fullmatch(text := str(amount)):
        raise MalformedDocumentError("A selected transaction's amount is not a number.")
    return text


def serialize_decimals(amounts: Sequence[float]) -> list[str]:
    """Give what `serialize_decimal` gives, for many, faster."""
    text = orjson.dumps(amounts)[1:-1].decode()
    # What has a letter, exponents and null for NaN, is written otherwise.
    return list(map(serialize_decimal, amounts)) if "e" in text or "n" in text else text.split(",")


def parse_decimal(value: object) -> Decimal | str:
    """Read a JSON number, and leave a text as it is: where its field is known it is read, and named if it is at fault.

    Raises:
        GraphQLError: it is neither; of the code INVALID_AMOUNT.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Decimal(str(value))
    raise _refuse(f'{quote_value(value)} is not a decimal number; give one such as "100.00".')


def serialize_datetime(milliseconds: float) -> str:
    """Give the RFC 3339 form, in UTC and with milliseconds, of ms since the epoch.

    Raises:
        MalformedDocumentError: the document's value is not a number, or beyond the year 9999.
    """
    instant = None
    with suppress(TypeError, ValueError, OverflowError):
        instant = _EPOCH + timedelta(milliseconds=milliseconds)
    # A truth value is a number to Python alone.
    if instant is None or isinstance(milliseconds, bool):
        raise MalformedDocumentError("A selected transaction's date is not a number of milliseconds.")
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def serialize_datetimes(instants: Iterable[int]) -> list[str]:
    """Give what `serialize_datetime` gives, for many, faster; raises OverflowError beyond the years 1 to 9999."""
    return [
        f"{_serialize_hour(hour)}{_SECONDS[rest // 1_000]}{_MILLISECONDS[rest % 1_000]}"
        for hour, rest in map(divmod, instants, repeat(_HOUR_MS))
    ]


# More than a year's hours: a large page of a small collection goes through them all.
@lru_cache(maxsize=16_384)
def _serialize_hour(hour: int) -> str:
    return (_EPOCH + timedelta(hours=hour)).isoformat(timespec="hours").replace("+00:00", ":")


def _parse_decimal_literal(node: ValueNode, _variables: dict[str, Any] | None = None) -> Decimal | str:
    if isinstance(node, IntValueNode | FloatValueNode):
        with suppress(InvalidOperation):  # its exponent is beyond all bounds
            return Decimal(node.value)
    if isinstance(node, StringValueNode | IntValueNode | FloatValueNode):
        return node.value
    raise _refuse('Only a decimal number is accepted here, such as "100.00".', node)


def _refuse(message: str, node: ValueNode | None = None) -> GraphQLError:
    # A GraphQLError reaches the caller as it is, without a place if it has none; graphql-core wraps any other error in
    # words of its own.
    return GraphQLError(message, node, original_error=InvalidAmountError(message))


SCALARS: dict[object, ScalarDefinition] = {
    Decimal: strawberry.scalar(
        name="Decimal",
        description='An exact decimal number, written as a string: "100.00". As input a number is taken too.',
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
