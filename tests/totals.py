"""Summaries the slow, obvious way, in plain Python: each amount is a Decimal, each bucket found by stepping."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from functools import cache
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from tests.reference import DAY_MS, Document, Question, select

MAX_GROUPS = 10_000
# The tests' texts in the order of the database's collation, which ignores case.
ALPHABET = [
    "$ne",
    "a/b",
    "acme",
    "amex",
    "bäcker",
    "carte bleue",
    "de",
    "discover",
    "eur",
    "fr",
    "gb",
    "jpy",
    "maestro",
]
ALPHABET += ["mastercard", "ünion", "us", "usd", "visa", "xk", "zeta"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Every UTC offset and transition of this century is a multiple of it.
_STEP = timedelta(minutes=15)
_FIELDS = {"country": "countryOrigin"}
_CALENDAR = ("hour", "day", "week", "month")
_RANGES = [
    0,
    1,
    2,
    5,
    10,
    20,
    50,
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    20_000,
    50_000,
    100_000,
    200_000,
    500_000,
]
_RANGES += [1_000_000]
_BELOW_ALL_RANGES = -1


class RefusedError(Exception):
    """The query has no result; the message is the error code."""


@dataclass(frozen=True)
class Summary:
    """A summary request over the transactions of a query."""

    question: Question
    keys: tuple[str, ...] = ()
    zone: str = "UTC"
    percentiles: tuple[str, ...] = ()
    rates: dict[str, str] | None = None
    into: str | None = None
    order: str | None = None
    top: int | None = None


@dataclass
class _Group:
    keys: tuple[Any, ...]
    documents: list[Document] = field(default_factory=list)


def summarize(documents: Iterable[Document], asked: Summary, now_ms: int) -> dict[str, Any]:
    """Return what REST responds, or raise RefusedError."""
    found = select(documents, asked.question, now_ms)
    if asked.into and {each["currency"].upper() for each in found} - {asked.into, *(asked.rates or {})}:
        raise RefusedError("RATE_MISSING")
    groups: dict[tuple[Any, ...], _Group] = {}
    for document in found:
        keys = tuple(_find_key(key, document, asked) for key in asked.keys)
        groups.setdefault(keys, _Group(keys)).documents.append(document)
    if not asked.keys:
        groups.setdefault((), _Group(()))
    if not asked.top:
        _fill(groups, asked, found, now_ms)
    if len(groups) > MAX_GROUPS and not asked.top:
        raise RefusedError("TOO_MANY_GROUPS")
    order = asked.order or ("COUNT_DESC" if asked.top else "KEY_ASC")
    field_name, is_descending = order.split("_")[0], order.endswith("DESC")
    ordered = sorted(groups.values(), key=_get_place, reverse=is_descending and field_name == "KEY")
    if field_name == "COUNT":
        ordered.sort(key=lambda group: len(group.documents), reverse=is_descending)
    elif field_name == "SUM":
        ordered.sort(key=lambda group: sum(_read_amounts(group.documents, asked)), reverse=is_descending)
    return {"groups": [_write(group, found, asked) for group in ordered[: asked.top]], "omitted": 0}


def _find_key(key: str, document: Document, asked: Summary) -> Any:
    if key in _CALENDAR:
        return _find_bucket(key, _EPOCH + timedelta(milliseconds=document["date"]), asked.zone)
    if key == "amountRange":
        [amount] = _read_amounts([document], asked)
        return max((start for start in _RANGES if start <= amount), default=_BELOW_ALL_RANGES)
    return document[_FIELDS.get(key, key)].casefold()


def _find_bucket(key: str, instant: datetime, zone: str) -> tuple[str, Any]:
    """Identify a bucket by its unit and first instant, the earliest step that still has the same name."""
    instant -= (instant - _EPOCH) % _STEP
    name = _name(key, instant, zone)
    while _name(key, instant - _STEP, zone) == name:
        instant -= _STEP
    return key, instant


@cache
def _name(key: str, instant: datetime, zone: str) -> Any:
    local = instant.astimezone(ZoneInfo(zone))
    names: dict[str, Any] = {
        "hour": (local.date(), local.hour, local.utcoffset()),
        "day": local.date(),
        "week": local.isocalendar()[:2],
        "month": (local.year, local.month),
    }
    return names[key]


def _fill(groups: dict[tuple[Any, ...], _Group], asked: Summary, found: list[Document], now_ms: int) -> None:
    units = [key for key in asked.keys if key in _CALENDAR]
    if not units:
        return
    if asked.question.days is not None:
        ends = [now_ms - asked.question.days * DAY_MS, now_ms]
    else:
        ends = sorted(document["date"] for document in found)
    if not ends:
        return
    first, last = (_EPOCH + timedelta(milliseconds=end) for end in (ends[0], ends[-1]))
    others = {next((key for key in keys if isinstance(key, str | int)), None) for keys in groups}
    if len(units) == len(asked.keys):
        others = {None}
    # Stepping through every quarter of an hour meets every bucket.
    instants = [first + _STEP * step for step in range(ceil((last - first) / _STEP))] + [last]
    names: dict[Any, datetime] = {}
    for instant in instants:
        quarter = instant - (instant - _EPOCH) % _STEP
        names.setdefault(tuple(_name(unit, quarter, asked.zone) for unit in units), quarter)
    for quarter in names.values():
        for other in others:
            keys = tuple(_find_bucket(key, quarter, asked.zone) if key in _CALENDAR else other for key in asked.keys)
            groups.setdefault(keys, _Group(keys))


def _get_place(group: _Group) -> list[Any]:
    return [
        ALPHABET.index(key) if isinstance(key, str) else key if isinstance(key, int) else key[1] for key in group.keys
    ]


def _write(group: _Group, found: list[Document], asked: Summary) -> dict[str, Any]:
    by_currency: dict[str, list[Document]] = {} if asked.into is None else {asked.into: group.documents}
    for document in group.documents if asked.into is None else ():
        by_currency.setdefault(document["currency"].upper(), []).append(document)
    return {
        **{name: _write_key(name, key, found, asked) for name, key in zip(asked.keys, group.keys, strict=True)},
        "count": len(group.documents),
        "amounts": [_sum_up(currency, by_currency[currency], asked) for currency in sorted(by_currency)],
    }


def _write_key(name: str, key: Any, found: list[Document], asked: Summary) -> str | None:
    if name in _CALENDAR:
        return str(key[1].astimezone(ZoneInfo(asked.zone)).isoformat())
    if name == "amountRange":
        return None if key == _BELOW_ALL_RANGES else f"{key}.00"
    if name in {"country", "currency"}:
        return str(key).upper()
    spellings = {document[name] for document in found if document[name].casefold() == key}
    return str(min(spellings, key=lambda spelling: str(spelling).encode()))


def _read_amounts(documents: list[Document], asked: Summary) -> list[Decimal]:
    rates = {**(asked.rates or {}), str(asked.into): "1"}
    rate = {name: Decimal(value) for name, value in rates.items()}
    with localcontext(Context(prec=200)):
        return [
            Decimal(repr(document["amount"])) * (rate[document["currency"].upper()] if asked.into else 1)
            for document in documents
        ]


def _sum_up(currency: str, documents: list[Document], asked: Summary) -> dict[str, Any]:
    amounts = sorted(_read_amounts(documents, asked))
    with localcontext(Context(prec=200)):
        total = sum(amounts, Decimal(0))
    return {
        "currency": currency,
        "count": len(amounts),
        "sum": write_decimal(total),
        "average": write_decimal(Context(prec=34).divide(total, len(amounts))) if amounts else None,
        "min": write_decimal(amounts[0]) if amounts else None,
        "max": write_decimal(amounts[-1]) if amounts else None,
        "percentiles": [
            {"percentile": percentile, "value": _find_percentile(amounts, percentile)}
            for percentile in asked.percentiles
        ],
    }


def _find_percentile(amounts: list[Decimal], percentile: str) -> str | None:
    """Return the nearest rank: the smallest amount such that at least this percentage of amounts do not exceed it."""
    rank = max(ceil(Fraction(percentile) * len(amounts) / 100), 1)
    return write_decimal(amounts[rank - 1]) if amounts else None


def write_decimal(amount: Decimal) -> str:
    """Format with all digits, and at least two decimals."""
    text = format(amount, "f")
    whole, _, decimals = text.partition(".")
    decimals = decimals.rstrip("0")
    text = f"{whole}.{decimals:0<2}"
    return text.removeprefix("-") if not amount else text
