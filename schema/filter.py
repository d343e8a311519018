"""Parse what a caller writes into a filter, or an error that names the field, its fault and what is accepted.

GraphQL arguments and REST paths and parameters all pass through here, so that both styles accept the same values.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from iso3166 import countries_by_alpha3

from database.errors import (
    InvalidAmountError,
    InvalidCardTypeError,
    InvalidCountryError,
    InvalidDaysError,
    quote_value,
)
from database.query import RelativeFilter, TransactionFilter

MAX_DAYS = 36_500
MAX_CARD_TYPE_LENGTH = 64
# A double holds 15 significant digits exactly; with more, a comparison could fall on the wrong side.
MAX_AMOUNT_DIGITS = 15
# The longest amount that is accepted, written out in full with its point and leading zeros.
_MAX_AMOUNT_LENGTH = 40

_WHOLE = re.compile(r"-?[0-9]+")
_AMOUNT = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_ALPHA_2 = re.compile(r"[A-Za-z]{2}")
_ALPHA_3 = re.compile(r"[A-Za-z]{3}")


@dataclass(frozen=True, slots=True)
class FieldNames:
    """The caller's name for each condition, for use in messages."""

    days: str = "days"
    card_type: str = "cardType"
    country: str = "country"
    min_amount: str = "minAmount"
    max_amount: str = "maxAmount"


def parse_filter(
    *,
    days: int | str | None = None,
    card_type: str | None = None,
    country: str | None = None,
    min_amount: Decimal | str | None = None,
    max_amount: Decimal | str | None = None,
    names: FieldNames | None = None,
) -> RelativeFilter:
    """Parse and validate the conditions of a filter; those that are None do not apply.

    Args:
        days: length of the window in days of 24 hours; both ends are inclusive.
        card_type: the brand, in any case.
        country: ISO 3166-1 alpha-2 or alpha-3, in any case.
        min_amount: smallest amount, inclusive.
        max_amount: largest amount, inclusive.
        names: the caller's names for these.

    Raises:
        InvalidDaysError, InvalidCardTypeError, InvalidCountryError, InvalidAmountError: a value is not accepted.
    """
    names = names or FieldNames()
    smallest = None if min_amount is None else parse_amount(min_amount, names.min_amount)
    largest = None if max_amount is None else parse_amount(max_amount, names.max_amount)
    if smallest is not None and largest is not None and smallest > largest:
        raise InvalidAmountError(
            f"{names.min_amount} is {smallest}, which is more than {names.max_amount}, {largest}; "
            f"give the smaller amount as {names.min_amount}.",
        )
    return RelativeFilter(
        None if days is None else parse_days(days, names.days),
        TransactionFilter(
            card_type=None if card_type is None else parse_card_type(card_type, names.card_type),
            country=None if country is None else parse_country(country, names.country),
            min_amount=smallest,
            max_amount=largest,
        ),
    )


def parse_days(value: int | str, field: str) -> int:
    """Parse a number of days from 0 to MAX_DAYS; raises InvalidDaysError."""
    text = str(value)
    if not text:
        fault = "is empty"
    elif not _WHOLE.fullmatch(text):
        fault = f"is {quote_value(text)}, which is not a whole number"
    elif text.startswith("-") and text.strip("-0"):
        fault = f"is {quote_value(text)}, which is negative"
    # The length is checked first: Python refuses to convert thousands of digits.
    elif len(text) > len(str(MAX_DAYS)) + 10 or int(text) > MAX_DAYS:
        fault = f"is {quote_value(text)}, which is too large"
    else:
        return int(text)
    raise InvalidDaysError(f"{field} {fault}; give a whole number from 0 to {MAX_DAYS}, such as 90.")


def parse_card_type(value: str, field: str) -> str:
    """Parse a card brand of 1 to 64 printable characters; raises InvalidCardTypeError.

    Any name is accepted, because a database may hold brands other than the five known ones. Unprintable characters
    are refused: the database's comparison would ignore them and match other names.
    """
    if not value:
        fault = "is empty"
    elif len(value) > MAX_CARD_TYPE_LENGTH:
        fault = f"has {len(value)} characters"
    elif not value.isprintable():
        fault = f"is {quote_value(value)}, which holds characters that cannot be printed"
    elif "\N{REPLACEMENT CHARACTER}" in value:  # what the HTTP server makes of bytes in a URL that are not UTF-8
        fault = f"is {quote_value(value)}, which was not written in UTF-8"
    else:
        return value
    raise InvalidCardTypeError(
        f"{field} {fault}; give a card brand of 1 to {MAX_CARD_TYPE_LENGTH} printable characters, such as "
        "Visa, Mastercard, Amex, Maestro or Discover, in upper or lower case.",
    )


def parse_country(value: str, field: str) -> str:
    """Return the upper-case alpha-2 code of an alpha-2 or alpha-3 code (ISO 3166-1); raises InvalidCountryError.

    Any two letters are accepted, assigned or not: a database may hold user-assigned codes, such as XK.
    """
    if _ALPHA_2.fullmatch(value):
        return value.upper()
    if _ALPHA_3.fullmatch(value) and (country := countries_by_alpha3.get(value.upper())):
        return country.alpha2
    fault = f"is {quote_value(value)}, which is not a country code" if value else "is empty"
    raise InvalidCountryError(
        f"{field} {fault}; give an ISO 3166-1 code of two or three letters, such as US or USA, in upper or lower case.",
    )


def parse_amount(value: Decimal | str, field: str) -> Decimal:
    """Parse an exact decimal of at most 15 significant digits; raises InvalidAmountError."""
    text = str(value)
    # Written out, a Decimal such as 1E+999999999 would exhaust memory.
    if isinstance(value, Decimal) and abs(value.adjusted()) < _MAX_AMOUNT_LENGTH:
        text = format(value, "f")
    if not text:
        fault = "is empty"
    elif len(text) > _MAX_AMOUNT_LENGTH:
        fault = f"has {len(text)} characters"
    elif not _AMOUNT.fullmatch(text):
        fault = f"is {quote_value(text)}, which is not a decimal number"
    elif (amount := Decimal(text)) and len(amount.normalize().as_tuple().digits) > MAX_AMOUNT_DIGITS:
        fault = f"is {quote_value(text)}, which has more than {MAX_AMOUNT_DIGITS} significant digits"
    elif amount.adjusted() >= MAX_AMOUNT_DIGITS:
        fault = f"is {quote_value(text)}, which is too large"
    else:
        return amount
    raise InvalidAmountError(
        f"{field} {fault}; give a decimal number such as 100, 100.0 or 100.00, of at most "
        f"{MAX_AMOUNT_DIGITS} significant digits, with a point and without an exponent.",
    )
