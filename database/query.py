"""Pure: build a frozen plan from a filter, an order and a page. A plan describes a query; repository.py runs it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum
from itertools import product
from math import inf
from typing import Any

from bson.decimal128 import Decimal128
from bson.objectid import ObjectId

from database.cursor import Position, write_value
from database.index import CASE_INSENSITIVE

DAY_MS = 24 * 60 * 60 * 1000

# The document's keys in the order of the response; no other key of a document ever leaves the gateway.
FIELDS = (
    "_id",
    "date",
    "currency",
    "amount",
    "vendor",
    "address",
    "cardType",
    "cardNumber",
    "countryOrigin",
)


class Order(Enum):
    """An order of the result: the sort field and the direction (1 ascending, -1 descending).

    Equal values are ordered by `_id` in the same direction, so each order is total and a position in it is exact.
    """

    DATE_DESC = ("date", -1)
    DATE_ASC = ("date", 1)
    AMOUNT_DESC = ("amount", -1)
    AMOUNT_ASC = ("amount", 1)

    @property
    def field(self) -> str:
        return self.value[0]

    @property
    def direction(self) -> int:
        return self.value[1]


@dataclass(frozen=True, slots=True)
class TransactionFilter:
    """Conditions on transactions; a transaction must meet all that are given.

    Attributes:
        since: earliest date, inclusive, in ms since the epoch, UTC.
        until: latest date, inclusive, in ms since the epoch, UTC.
        card_type: the card's brand, in any case.
        country: ISO 3166-1 alpha-2, in any case.
        min_amount: smallest amount, inclusive, of at most 15 significant digits.
        max_amount: largest amount, inclusive, of at most 15 significant digits.
    """

    since: int | None = None
    until: int | None = None
    card_type: str | None = None
    country: str | None = None
    min_amount: Decimal | None = None
    max_amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class RelativeFilter:
    """A filter relative to a moment not known yet: when a request arrives or a transaction is added.

    Attributes:
        days: the date lies in the last n days of 24 hours before that moment, both ends inclusive.
        others: all other conditions; no window.
    """

    days: int | None = None
    others: TransactionFilter = field(default_factory=TransactionFilter)

    def build_filter(self, moment: int) -> TransactionFilter:
        """Build the filter for a moment, in ms since the epoch, UTC."""
        if self.days is None:
            return self.others
        return replace(self.others, since=moment - self.days * DAY_MS, until=moment)


@dataclass(frozen=True, slots=True)
class Page:
    """A part of an ordered result: the first or, if `from_end`, the last `limit` rows between two positions.

    The rows at the positions themselves are excluded, unless `inclusive`.
    """

    limit: int | None = None
    after: Position | None = None
    before: Position | None = None
    from_end: bool = False
    inclusive: bool = False


@dataclass(frozen=True, slots=True)
class FindPlan:
    """The arguments of a find command. If `reverse`, the rows arrive last first, and the reader must reverse them."""

    filter: dict[str, Any]
    sort: tuple[tuple[str, int], ...]
    projection: dict[str, int]
    limit: int = 0
    collation: dict[str, Any] | None = None
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class CardWindow:
    """One card type, in any case, from `since` to `until`, both inclusive, in ms since the epoch, UTC."""

    card_type: str
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class CountPlan:
    """The arguments of a count.

    Attributes:
        hint: the key of the index to use if there are no conditions, which would otherwise scan the collection.
        window: the same count as a card window, if the filter is exactly a card type, `since` and `until`.
    """

    filter: dict[str, Any]
    collation: dict[str, Any] | None = None
    hint: dict[str, int] | None = None
    window: CardWindow | None = None


def build_find_plan(
    wanted: TransactionFilter,
    order: Order = Order.DATE_DESC,
    page: Page | None = None,
    fields: frozenset[str] = frozenset(FIELDS),
) -> FindPlan:
    """Describe a page of the rows of a filter, in an order; `fields` are the document keys to return.

    The sort field and `_id` are always returned, because cursors need them.
    """
    page = page or Page()
    direction = -order.direction if page.from_end else order.direction
    wanted_fields = fields | {"_id", order.field}
    return FindPlan(
        filter=_build_seek(build_match(wanted), order, page),
        sort=((order.field, direction), ("_id", direction)),
        projection={name: 1 for name in FIELDS if name in wanted_fields},
        limit=page.limit or 0,
        collation=_build_collation(wanted),
        reverse=page.from_end,
    )


def build_id_plan(row_id: str, fields: frozenset[str] = frozenset(FIELDS)) -> FindPlan:
    """Describe the transaction with an `_id`; an ObjectId is given by its 24 hexadecimal digits."""
    return replace(build_ids_plan([row_id], fields), limit=1)


def build_ids_plan(row_ids: Iterable[str], fields: frozenset[str] = frozenset(FIELDS)) -> FindPlan:
    """Describe the transactions with the given `_id`s, at least one, unordered; `match_ids` puts them in order."""
    ids = list(dict.fromkeys(each for row_id in row_ids for each in _list_ids(row_id)))
    projection = {name: 1 for name in FIELDS if name in fields | {"_id"}}
    return FindPlan({"_id": {"$in": ids}}, sort=(), projection=projection, limit=len(ids))


def match_ids(row_ids: Iterable[str], rows: Iterable[dict[str, Any]]) -> list[dict[str, Any] | None]:
    """Return for each id, repeated ones included, its row among those that the plan of the ids found, or None."""
    found = {row["_id"]: row for row in rows}
    return [next((found[each] for each in _list_ids(row_id) if each in found), None) for row_id in row_ids]


def _list_ids(row_id: str) -> list[str | ObjectId]:
    return [row_id, ObjectId(row_id)] if ObjectId.is_valid(row_id) else [row_id]


def build_rest_plan(plan: FindPlan, value: int) -> FindPlan:
    """Describe the rest of an ordered plan whose rows have reached `value` in the sort field.

    The rest includes all rows with that value, sent or not: only the server knows the order of ids of several types, or
    under a collation.
    """
    field, direction = plan.sort[0]
    operator, choose = ("$lte", min) if direction == -1 else ("$gte", max)
    branches = []
    for each in plan.filter.get("$or", [plan.filter]):
        # The value may lie outside this window if it was reached by the plan of a wider one.
        bound = choose(value, each.get(field, {}).get(operator, value))
        if (branch := _merge(each, {field: {operator: bound}})) is not None:
            branches.append(branch)
    return replace(plan, filter=branches[0] if len(branches) == 1 else {"$or": branches})


def build_count_plan(wanted: TransactionFilter) -> CountPlan:
    """Describe the count of a filter's transactions."""
    match = build_match(wanted)
    window = None
    if wanted.card_type is not None and wanted.since is not None and wanted.until is not None:
        window = CardWindow(wanted.card_type, wanted.since, wanted.until)
        if wanted != TransactionFilter(wanted.since, wanted.until, wanted.card_type):
            window = None
    # The hint is a key, because the index of a clustered collection may not be named `_id_`.
    return CountPlan(match, _build_collation(wanted), hint=None if match else {"_id": 1}, window=window)


def _build_collation(wanted: TransactionFilter) -> dict[str, Any] | None:
    return CASE_INSENSITIVE if wanted.card_type is not None or wanted.country is not None else None


def build_match(wanted: TransactionFilter) -> dict[str, Any]:
    """Build a filter's conditions; use the collation CASE_INSENSITIVE if they compare text."""
    match: dict[str, Any] = {}
    if tests := _build_range(wanted.since, wanted.until):
        match["date"] = tests
    least = None if wanted.min_amount is None else _build_end(wanted.min_amount, min)
    most = None if wanted.max_amount is None else _build_end(wanted.max_amount, max)
    if tests := _build_range(least, most):
        match["amount"] = tests
    if wanted.card_type is not None:
        match["cardType"] = {"$eq": wanted.card_type}
    if wanted.country is not None:
        match["countryOrigin"] = {"$eq": wanted.country}
    return match


def _build_range(least: float | Decimal128 | None, most: float | Decimal128 | None) -> dict[str, Any]:
    return ({} if least is None else {"$gte": least}) | ({} if most is None else {"$lte": most})


def _build_end(amount: Decimal, choose: Callable[[Decimal, Decimal], Decimal]) -> float | Decimal128:
    """Choose one of the two stored forms of an amount, double or decimal, as the end of a range that includes both.

    Up to 15 significant digits, decimals and doubles map one to one, but the server compares their exact values: 0.1 as
    a decimal is less than 0.1 as a double.
    """
    double = float(amount)
    exact = Decimal(double)
    return double if choose(exact, amount) == exact else Decimal128(amount)


def _build_seek(match: dict[str, Any], order: Order, page: Page) -> dict[str, Any]:
    """Add the page's positions to a match.

    The rows beyond a position are those with an equal sort value and a later `_id`, those with a later sort value, and,
    unless the field is bounded, those whose value sorts beyond all numbers. From a top-level $or of these, MongoDB
    merges index scans, so a page costs what it returns even if a million rows share one date.
    """
    positions = [(place, forward) for place, forward in ((page.after, True), (page.before, False)) if place]
    # Between two positions, and within a filter's bounds, the field can only be a number.
    is_open = len(positions) == 1 and order.field not in match
    splits = [_build_beyond(order, page, place, forward=forward, is_open=is_open) for place, forward in positions]
    branches = [branch for parts in product(*splits) if (branch := _merge(match, *parts)) is not None]
    return branches[0] if len(branches) == 1 else {"$or": branches}


def _build_beyond(
    order: Order, page: Page, position: Position, *, forward: bool, is_open: bool
) -> list[dict[str, Any]]:
    operator = "$gt" if (order.direction == 1) == forward else "$lt"
    value = write_value(position)
    beyond = [
        {order.field: {"$eq": value}, **_compare("_id", f"{operator}e" if page.inclusive else operator, position.id)},
        {order.field: {operator: value}},
    ]
    return [*beyond, _compare(order.field, operator, inf if operator == "$gt" else -inf)] if is_open else beyond


def _compare(field: str, operator: str, value: object) -> dict[str, Any]:
    """Compare a field in the server's order across types; a plain operator matches only values of one type."""
    return {"$expr": {operator: [f"${field}", {"$literal": value}]}}


def _merge(*matches: dict[str, Any]) -> dict[str, Any] | None:
    """Merge matches into one; return None if they require one field to equal two values."""
    merged: dict[str, dict[str, Any]] = {}
    for match in matches:
        for key, tests in match.items():
            if key == "$expr" and key in merged:
                merged[key] = {"$and": [merged[key], tests]}
                continue
            known = merged.setdefault(key, {})
            if known.get("$eq", tests.get("$eq")) != tests.get("$eq", known.get("$eq")):
                return None
            known.update(tests)
    return merged
