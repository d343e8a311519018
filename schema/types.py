"""The GraphQL types of a transaction, its orders and its filter. Rows are the documents themselves, never copies."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from math import isfinite
from types import NoneType
from typing import get_args

import strawberry
from strawberry.utils.str_converters import to_camel_case

from database.errors import MalformedDocumentError
from database.query import RelativeFilter
from schema.filter import MAX_DAYS, parse_filter

_NUMBERS = {"date", "amount"}


def read_field(source: object, name: str) -> object:
    """Read a field by its Python name: from a document by its key, from anything else as an attribute.

    Raises:
        MalformedDocumentError: the document lacks a required field, or holds a value that GraphQL cannot represent.
    """
    if not isinstance(source, Mapping):
        return getattr(source, name)
    key = _DOCUMENT_KEYS[name]
    value = source.get(key)
    if not _is_writable(key, value):
        raise MalformedDocumentError(
            f"The transaction {source.get('_id')} has no single value as {key} in the database."
        )
    if value is None and key not in MAY_BE_MISSING:
        raise MalformedDocumentError(f"The transaction {source.get('_id')} has no {key} in the database.")
    return value


def _is_writable(key: str, value: object) -> bool:
    """Return whether GraphQL can represent a value: it also writes finite numbers as strings, and whole ones as ids."""
    if isinstance(value, bool):
        return key != "_id"
    if isinstance(value, float) and key not in _NUMBERS:
        return value.is_integer() if key == "_id" else isfinite(value)
    return not isinstance(value, list | Mapping | bytes)


@strawberry.federation.type(keys=["id"], description="One card transaction.")
class Transaction:
    id: strawberry.ID = strawberry.field(description="The transaction's id, a UUID.")
    date: datetime = strawberry.field(description="When it took place, in UTC.")
    currency: str = strawberry.field(description="The amount's currency, ISO 4217.")
    amount: Decimal = strawberry.field(description="The amount, exact, in the currency.")
    vendor: str | None = strawberry.field(description="Who was paid; null if the database does not say.")
    address: str | None = strawberry.field(
        description="The vendor's address, with line breaks; null if the database does not say."
    )
    card_type: str = strawberry.field(description="The card's brand, such as Visa.")
    card_number: str = strawberry.field(
        description="The card number, masked except for its last four digits unless the caller has the scope "
        "cards:read."
    )
    country_origin: str = strawberry.field(description="The country of origin, ISO 3166-1 alpha-2.")


# GraphQL's field names are the document's keys, except for the id.
_DOCUMENT_KEYS = {name: to_camel_case(name) for name in Transaction.__annotations__} | {"id": "_id"}
MAY_BE_MISSING = {
    _DOCUMENT_KEYS[name] for name, kind in Transaction.__annotations__.items() if NoneType in get_args(kind)
}


@strawberry.enum(description="The order of a list. Equal values are ordered by id, in the same direction.")
class TransactionOrder(Enum):
    DATE_DESC = strawberry.enum_value("DATE_DESC", description="Newest first.")
    DATE_ASC = strawberry.enum_value("DATE_ASC", description="Oldest first.")
    AMOUNT_DESC = strawberry.enum_value("AMOUNT_DESC", description="Largest amount first, any currency.")
    AMOUNT_ASC = strawberry.enum_value("AMOUNT_ASC", description="Smallest amount first, any currency.")


@strawberry.input(
    name="TransactionFilter", description="Which transactions: those that meet all the conditions that are given."
)
class TransactionFilterInput:
    days: int | None = strawberry.field(
        default=None,
        description="The last n days of 24 hours, up to the moment the request arrives, both ends inclusive: "
        f"0 to {MAX_DAYS}.",
    )
    card_type: str | None = strawberry.field(default=None, description="The card's brand, in upper or lower case.")
    country: str | None = strawberry.field(
        default=None, description="The country of origin, ISO 3166-1 alpha-2 or alpha-3, in upper or lower case."
    )
    min_amount: Decimal | None = strawberry.field(default=None, description="The smallest amount, inclusive.")
    max_amount: Decimal | None = strawberry.field(default=None, description="The largest amount, inclusive.")


def parse_input(given: TransactionFilterInput | None) -> RelativeFilter:
    """Parse GraphQL's filter, whose fields are the arguments of `parse_filter`; raises as that does."""
    return parse_filter(**vars(given or TransactionFilterInput()))
