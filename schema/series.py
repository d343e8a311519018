"""Turn the database's groups into a summary: exact amounts, and empty groups in the gaps of a time series."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from database.errors import RateMissingError, TooManyGroupsError, quote_value
from database.group_key import GroupKey
from database.row import Row
from database.summary import MAX_AMOUNTS, MAX_GROUPS, SummaryRequest
from schema.calendar import list_starts, read_start
from schema.summary import AmountPercentile, AmountSummary, SummaryGroup, TransactionSummary

# A text, or the start of a calendar unit or of an amount range; None if the transactions lack the text, or if their
# amounts are below all ranges.
KeyValue: TypeAlias = str | datetime | Decimal | None

# IEEE 754 decimal128, in which the database adds.
_DECIMAL128 = Context(prec=34, rounding=ROUND_HALF_EVEN)
# Room for two decimals after a whole number, however large a rate has made it: the longest rates have 32 digits.
_EXACT = Context(prec=100)
_CENT, _ZERO = Decimal("0.01"), Decimal("0.00")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_NAMED = 10
# A group of several currencies takes about 100 µs of the event loop.
_GROUPS_PER_CHUNK = 100
# ISO codes, which are written in upper case.
_CODES = {GroupKey.COUNTRY, GroupKey.CURRENCY}


@dataclass(frozen=True, slots=True)
class _Group:
    keys: tuple[KeyValue, ...]
    row: Row


async def build_summary(request: SummaryRequest, rows: list[Row]) -> TransactionSummary:
    """Build the summary of a request from what `TransactionRepository.summarize` returned for it.

    Raises:
        RateMissingError: some transactions are in currencies without a rate.
        TooManyGroupsError: there are more than MAX_GROUPS groups, empty ones included, or MAX_AMOUNTS amounts.
    """
    outside = [amount for row in rows if row["_id"] is None for amount in row["amounts"]]
    _check_rates(request, outside)
    zone = ZoneInfo(request.time_zone)
    groups = [_Group(_read_keys(request, row, zone), row) for row in rows if row["_id"] is not None]
    # With `top`, gaps are not filled: a group that was cut off is not empty.
    groups = groups[: request.top]
    _check_number(len(groups), sum(len(group.row["amounts"]) for group in groups))
    if request.is_series:
        groups = _order(request, await _fill(request, groups, zone))
    if not request.keys and not groups:
        groups = [_build_empty(())]
    omitted = sum(amount["count"] for amount in outside)
    return TransactionSummary(found=await _write_groups(request, groups, zone), omitted=omitted)


def _check_rates(request: SummaryRequest, outside: list[Row]) -> None:
    missing = sorted(amount["currency"] for amount in outside if amount["currency"] is not None)
    if missing and request.conversion:
        named = ", ".join(map(quote_value, missing[:_MAX_NAMED])) + (", …" if len(missing) > _MAX_NAMED else "")
        raise RateMissingError(
            f"rates has no rate for {named}, in which there are transactions of the filter; give what one unit of each "
            f"is in {request.conversion.into}."
        )


def _check_number(groups: int, amounts: int = 0) -> None:
    if amounts > MAX_AMOUNTS:
        raise TooManyGroupsError(
            f"groupBy makes groups of more than {MAX_AMOUNTS} amounts, one for each currency; give into, top, fewer "
            "days, a coarser unit of time, or one key instead of two."
        )
    if groups > MAX_GROUPS:
        raise TooManyGroupsError(
            f"groupBy makes more than {MAX_GROUPS} groups, empty ones included; give top, fewer days, a coarser unit "
            "of time, or one key instead of two."
        )


def _read_keys(request: SummaryRequest, row: Row, zone: ZoneInfo) -> tuple[KeyValue, ...]:
    return tuple(_read_key(key, row, zone) for key in request.keys)


def _read_key(key: GroupKey, row: Row, zone: ZoneInfo) -> KeyValue:
    if key.is_calendar:
        return read_start(key, row["_id"][key.value], _read_date(row), zone)
    if key.is_text:
        return _read_text(key, row)
    start = row["_id"][key.value]
    return None if start is None else _write_amount(Decimal(start))


def _read_date(row: Row) -> datetime:
    return _EPOCH + timedelta(milliseconds=row["at"])


def _read_text(key: GroupKey, row: Row) -> str | None:
    spelling: dict[str, int] | None = row[f"spelling_{key.value}"]
    if spelling is None:
        return None
    [text] = spelling
    return text.upper() if key in _CODES else text


async def _fill(request: SummaryRequest, groups: list[_Group], zone: ZoneInfo) -> list[_Group]:
    """Add an empty group for each missing bucket, or, with a second key, each missing pair of bucket and its value."""
    filled = list(groups)
    known = {group.keys for group in groups}
    has_other = not all(key.is_calendar for key in request.keys)
    others = dict.fromkeys(_get_other(request, group) for group in groups) if has_other else {None: None}
    for number, starts in enumerate(_list_buckets(request, groups, zone) if others else ()):
        if number % _GROUPS_PER_CHUNK == 0:
            await asyncio.sleep(0)
        for other in others:
            rest = iter(starts)
            keys = tuple(next(rest) if key.is_calendar else other for key in request.keys)
            if keys not in known:
                known.add(keys)
                filled.append(_build_empty(keys))
        _check_number(len(filled))
    return filled


def _get_other(request: SummaryRequest, group: _Group) -> KeyValue:
    """Return the value of a group's key that is not a calendar unit, if any; a series has at most one such key."""
    return next((value for key, value in zip(request.keys, group.keys, strict=True) if not key.is_calendar), None)


def _list_buckets(request: SummaryRequest, groups: list[_Group], zone: ZoneInfo) -> Iterable[tuple[datetime, ...]]:
    """List the buckets of the request's window, or, without one, those from the first group to the last."""
    keys = tuple(key for key in request.keys if key.is_calendar)
    dates = [_read_date(group.row) for group in groups]
    if request.wanted.since is not None and request.wanted.until is not None:
        dates = [_EPOCH + timedelta(milliseconds=date) for date in (request.wanted.since, request.wanted.until)]
    return list_starts(keys, min(dates), max(dates), zone) if dates else ()


def _build_empty(keys: tuple[KeyValue, ...]) -> _Group:
    return _Group(keys, {"count": 0, "sum": None, "amounts": []})


def _order(request: SummaryRequest, groups: list[_Group]) -> list[_Group]:
    """Sort groups; non-calendar keys keep the order in which the database returned them, by its collation."""
    places = {other: place for place, other in enumerate(dict.fromkeys(_get_other(request, each) for each in groups))}
    field, is_descending = request.order.field, request.order.direction == -1

    def get_keys(group: _Group) -> list[datetime | int]:
        return [value if isinstance(value, datetime) else places[value] for value in group.keys]

    def get_value(group: _Group) -> Decimal:
        return Decimal(group.row["count"]) if field == "count" else _read_sum(group.row["sum"])

    if field == "key":
        return sorted(groups, key=get_keys, reverse=is_descending)
    return sorted(sorted(groups, key=get_keys), key=get_value, reverse=is_descending)


async def _write_groups(request: SummaryRequest, groups: list[_Group], zone: ZoneInfo) -> list[SummaryGroup]:
    written = []
    for number, group in enumerate(groups):
        if number % _GROUPS_PER_CHUNK == 0:
            await asyncio.sleep(0)
        written.append(_write_group(request, group, zone))
    return written


def _write_group(request: SummaryRequest, group: _Group, zone: ZoneInfo) -> SummaryGroup:
    rows = group.row["amounts"] if request.has_amounts else ()
    amounts = sorted((_write_amounts(request, row) for row in rows), key=lambda each: each.currency)
    if request.conversion and not amounts:
        amounts = [_write_amounts(request, {"currency": request.conversion.into, "count": 0})]
    named = zip(request.keys, group.keys, strict=True)
    keys: dict[str, Any] = {key.name.lower(): _write_key(value, zone) for key, value in named}
    return SummaryGroup(count=group.row["count"], amounts=amounts, **keys)


def _write_key(value: KeyValue, zone: ZoneInfo) -> str | Decimal | None:
    return value.astimezone(zone).isoformat() if isinstance(value, datetime) else value


def _write_amounts(request: SummaryRequest, row: Row) -> AmountSummary:
    total, count = _read_sum(row.get("sum")), row["count"]
    return AmountSummary(
        currency=row["currency"],
        count=count,
        sum=_write_amount(total),
        average=_write_amount(_DECIMAL128.divide(total, Decimal(count))) if count else None,
        min=_read_amount(row.get("min")),
        max=_read_amount(row.get("max")),
        percentiles=[
            AmountPercentile(percentile=percentile, value=_read_amount(row.get(f"percentile_{number}")))
            for number, percentile in enumerate(request.percentiles)
        ],
    )


def _read_sum(amount: Decimal | None) -> Decimal:
    return _ZERO if amount is None else amount


def _read_amount(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else _write_amount(amount)


def _write_amount(amount: Decimal) -> Decimal:
    """Return the same amount with as many decimals as it needs, at least two, and without a negative zero."""
    shortest = _DECIMAL128.normalize(_DECIMAL128.plus(amount))
    exponent = shortest.as_tuple().exponent
    return shortest.quantize(_CENT, context=_EXACT) if isinstance(exponent, int) and exponent > -2 else shortest  # noqa: PLR2004 - cents
