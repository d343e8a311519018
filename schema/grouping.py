"""Parse a summary's arguments into a SummaryRequest, or an error that names the field and what is accepted.

GraphQL and REST both pass through here, as their filters do through schema/filter.py.
"""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import cache
from zoneinfo import available_timezones

from database.errors import (
    InvalidGroupingError,
    InvalidPercentileError,
    InvalidRateError,
    InvalidTimeZoneError,
    quote_value,
)
from database.group_key import GroupKey
from database.query import TransactionFilter
from database.summary import MAX_GROUPS, Conversion, SummaryOrder, SummaryRequest

# The rows that a summary takes from an operation's budget: it may read all transactions.
SUMMARY_ROWS = 1_000
MAX_KEYS = 2
MAX_PERCENTILES = 10
MAX_RATES = 200
# Keeps an amount of 15 digits, once converted, within the 34 digits of the database's decimals.
MAX_RATE_DIGITS = 15
_MAX_RATE_LENGTH = 32
_MAX_PERCENTILE_LENGTH = 12

_CURRENCY = re.compile(r"[A-Za-z]{3}")
_DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?")


def parse_summary_request(
    wanted: TransactionFilter,
    *,
    keys: Sequence[GroupKey] = (),
    time_zone: str | None = None,
    percentiles: Sequence[Decimal | str] = (),
    rates: Iterable[tuple[str, Decimal | str]] | None = None,
    into: str | None = None,
    order: SummaryOrder | None = None,
    top: int | str | None = None,
) -> SummaryRequest:
    """Validate a summary's arguments and build its SummaryRequest.

    Args:
        wanted: which transactions.
        keys: none, one or two different keys.
        time_zone: IANA name, for calendar keys; UTC if None.
        percentiles: from 0 to 100, each at most once.
        rates: the value of one unit of each currency in `into`.
        into: the currency to convert all amounts into.
        order: order of the groups; by default by key, or with `top` by count, descending.
        top: maximum number of groups.

    Raises:
        InvalidGroupingError, InvalidTimeZoneError, InvalidPercentileError, InvalidRateError: a value is not accepted.
    """
    if len(set(keys)) < len(keys) or len(keys) > MAX_KEYS:
        named = ", ".join(key.value for key in keys)
        raise InvalidGroupingError(f"groupBy is {quote_value(named)}; give at most {MAX_KEYS} keys, each once.")
    limit = None if top is None else parse_top(top)
    order = order or (SummaryOrder.COUNT_DESC if top is not None else SummaryOrder.KEY_ASC)
    if order.field == "sum" and into is None:
        raise InvalidGroupingError(
            f"orderBy is {order.name}, which compares sums, and currencies cannot be compared; give into, the currency "
            "to compare in, with rates of the others."
        )
    return SummaryRequest(
        wanted=wanted,
        keys=tuple(keys),
        time_zone="UTC" if time_zone is None else parse_time_zone(time_zone),
        percentiles=_parse_percentiles(percentiles),
        conversion=_parse_conversion(rates, into),
        order=order,
        top=limit,
    )


def parse_key(text: str) -> GroupKey:
    """Parse REST's name of a key; raises InvalidGroupingError."""
    try:
        return GroupKey(text)
    except ValueError:
        accepted = ", ".join(key.value for key in GroupKey)
        raise InvalidGroupingError(f"groupBy names {quote_value(text)}; give one or two of {accepted}.") from None


def parse_order(text: str) -> SummaryOrder:
    """Parse REST's name of an order; raises InvalidGroupingError."""
    try:
        return SummaryOrder[text]
    except KeyError:
        accepted = ", ".join(order.name for order in SummaryOrder)
        raise InvalidGroupingError(f"orderBy is {quote_value(text)}; give one of {accepted}.") from None


def parse_top(value: int | str) -> int:
    """Parse a number of groups from 1 to MAX_GROUPS; raises InvalidGroupingError."""
    text = str(value)
    # The length is checked first: Python refuses to convert thousands of digits.
    if re.fullmatch("[0-9]+", text) and len(text) <= len(str(MAX_GROUPS)) and 1 <= int(text) <= MAX_GROUPS:
        return int(text)
    raise InvalidGroupingError(f"top is {quote_value(text)}; give a whole number from 1 to {MAX_GROUPS}, such as 10.")


def parse_time_zone(name: str) -> str:
    """Check a name of IANA's time zone database, spelled as it is there; raises InvalidTimeZoneError."""
    # `localtime` is the system's own zone, which differs between machines.
    if name not in _list_zones() or name == "localtime":
        raise InvalidTimeZoneError(
            f"timeZone is {quote_value(name)}, which is not a known time zone; give a name of IANA's database, such as "
            "Europe/Berlin or UTC."
        )
    return name


# Python scans its time zone directories on each call.
_list_zones = cache(available_timezones)


def parse_rate(text: str) -> tuple[str, str]:
    """Split a rate as REST writes it, `EUR:1.08`, without validating either part; raises InvalidRateError."""
    currency, separator, rate = text.partition(":")
    if not separator:
        raise InvalidRateError(f"rates holds {quote_value(text)}; give each as a currency and its rate: EUR:1.08.")
    return currency, rate


def _parse_percentiles(values: Sequence[Decimal | str]) -> tuple[Decimal, ...]:
    percentiles = tuple(_parse_percentile(value) for value in values)
    if len(percentiles) > MAX_PERCENTILES:
        raise InvalidPercentileError(f"percentiles has {len(percentiles)} values; give at most {MAX_PERCENTILES}.")
    if len(set(percentiles)) < len(percentiles):
        raise InvalidPercentileError("percentiles has a value twice; give each once.")
    return percentiles


def _parse_percentile(value: Decimal | str) -> Decimal:
    text = _write(value, _MAX_PERCENTILE_LENGTH)
    if _DECIMAL.fullmatch(text) and len(text) <= _MAX_PERCENTILE_LENGTH and Decimal(text) <= 100:  # noqa: PLR2004 - 100 per cent
        return Decimal(text)
    raise InvalidPercentileError(
        f"percentiles holds {quote_value(text)}; give numbers from 0 to 100 such as 50, 95 or 99.9, of at most "
        f"{_MAX_PERCENTILE_LENGTH} characters."
    )


def _parse_conversion(rates: Iterable[tuple[str, Decimal | str]] | None, into: str | None) -> Conversion | None:
    if into is None:
        if rates is not None:
            raise InvalidRateError("rates are given without into; give the currency to convert into as into.")
        return None
    target = _parse_currency(into, "into")
    known: dict[str, Decimal] = {}
    for name, value in rates or ():
        currency = _parse_currency(name, "rates")
        if currency in known:
            raise InvalidRateError(f"rates has {currency} twice; give each currency once.")
        known[currency] = _parse_rate(value, currency)
        if len(known) > MAX_RATES:
            raise InvalidRateError(f"rates has more than {MAX_RATES} currencies; give those that occur.")
    if known.setdefault(target, Decimal(1)) != 1:
        raise InvalidRateError(
            f"The rate of {target} is {known[target]}, but it is the currency of into: leave it out."
        )
    return Conversion(target, tuple(sorted(known.items())))


def _parse_currency(text: str, field: str) -> str:
    if _CURRENCY.fullmatch(text):
        return text.upper()
    raise InvalidRateError(f"{field} names the currency {quote_value(text)}; give a code of ISO 4217, such as EUR.")


def _parse_rate(value: Decimal | str, currency: str) -> Decimal:
    text = _write(value, _MAX_RATE_LENGTH)
    if _DECIMAL.fullmatch(text) and len(text) <= _MAX_RATE_LENGTH:
        rate = Decimal(text)
        if rate > 0 and len(rate.normalize().as_tuple().digits) <= MAX_RATE_DIGITS:
            return rate
    raise InvalidRateError(
        f"The rate of {currency} is {quote_value(text)}; give a decimal number above 0, of at most {MAX_RATE_DIGITS} "
        "significant digits, with a point and without an exponent."
    )


def _write(value: Decimal | str, longest: int) -> str:
    """Write a number out in full, unless that would exhaust memory, as 1E+999999999 would."""
    return format(value, "f") if isinstance(value, Decimal) and abs(value.adjusted()) < longest else str(value)
