"""Pure: a filter, an order and a page become a frozen plan. A plan describes; repository.py runs it."""

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

# The document's keys in the order in which they are answered; nothing else that a document may hold leaves the gateway.
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
    """An order of the answer: the field it sorts by and the direction (1 ascending, -1 descending).

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
    """Which transactions: all conditions that are given hold together.

    Attributes:
        since: earliest date, inclusive, in ms since the epoch, UTC.
        until: latest date, inclusive, in ms since the epoch, UTC.
        card_type: the card's brand, whatever the case.
        country: ISO 3166-1 alpha-2, whatever the case.
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
    """A filter before the moment is known at which transactions are asked for, or added.

    Attributes:
        days: the date lies in the last n days of 24 hours before that moment, both ends inclusive.
        others: all other conditions; without a window.
    """

    days: int | None = None
    others: TransactionFilter = field(default_factory=TransactionFilter)

    def build_filter(self, moment: int) -> TransactionFilter:
        """Give the filter at a moment, in ms since the epoch, UTC."""
        if self.days is None:
            return self.others
        return replace(self.others, since=moment - self.days * DAY_MS, until=moment)


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of an ordered answer: between two positions, and of that the first or the last `limit` rows.

    The rows at the positions themselves are left out, unless `inclusive`.
    """

    limit: int | None = None
    after: Position | None = None
    before: Position | None = None
    from_end: bool = False
    inclusive: bool = False


@dataclass(frozen=True, slots=True)
class FindPlan:
    """What a find command is told. `reverse` says that the rows come last first and are to be turned round."""

    filter: dict[str, Any]
    sort: tuple[tuple[str, int], ...]
    projection: dict[str, int]
    limit: int = 0
    collation: dict[str, Any] | None = None
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class CardWindow:
    """One card type, whatever its case, from `since` to `until`, both inclusive, in ms since the epoch, UTC."""

    card_type: str
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class CountPlan:
    """What a count is told.

    Attributes:
        hint: the key of the index of a count that no condition would lead to one.
        window: the same question where it asks for a card type in a window and for nothing else.
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
    """Describe the rows of a filter, in an order, of a page; `fields` are the document keys to return.

    The sort field and `_id` are returned whether asked for or not: a cursor needs them.
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
    """Describe the one transaction of an `_id`; an ObjectId is found by its 24 hexadecimal digits."""
    return replace(build_ids_plan([row_id], fields), limit=1)


def build_ids_plan(row_ids: Iterable[str], fields: frozenset[str] = frozenset(FIELDS)) -> FindPlan:
    """Describe the transactions of at least one `_id`, in no order; `match_ids` puts them in that of the ids."""
    ids = list(dict.fromkeys(each for row_id in row_ids for each in _list_ids(row_id)))
    projection = {name: 1 for name in FIELDS if name in fields | {"_id"}}
    return FindPlan({"_id": {"$in": ids}}, sort=(), projection=projection, limit=len(ids))


def match_ids(row_ids: Iterable[str], rows: Iterable[dict[str, Any]]) -> list[dict[str, Any] | None]:
    """Give for each id, however often it comes, its row of what a plan of the ids has found, or None."""
    found = {row["_id"]: row for row in rows}
    return [next((found[each] for each in _list_ids(row_id) if each in found), None) for row_id in row_ids]


def _list_ids(row_id: str) -> list[str | ObjectId]:
    return [row_id, ObjectId(row_id)] if ObjectId.is_valid(row_id) else [row_id]


def build_rest_plan(plan: FindPlan, value: int) -> FindPlan:
    """Describe what is left of an ordered plan whose rows have come to `value` of the field it sorts by first.

    The rows of that value itself are among what is left, sent or not: how ids of several types, or under a collation,
    are ordered among them is the server's to know.
    """
    field, direction = plan.sort[0]
    operator, choose = ("$lte", min) if direction == -1 else ("$gte", max)
    branches = []
    for each in plan.filter.get("$or", [plan.filter]):
        # Rows of a wider window may have come to a value beyond this one's.
        bound = choose(value, each.get(field, {}).get(operator, value))
        if (branch := _merge(each, {field: {operator: bound}})) is not None:
            branches.append(branch)
    return replace(plan, filter=branches[0] if len(branches) == 1 else {"$or": branches})


def build_count_plan(wanted: TransactionFilter) -> CountPlan:
    """Describe how many transactions a filter holds."""
    match = build_match(wanted)
    window = None
    if wanted.card_type is not None and wanted.since is not None and wanted.until is not None:
        window = CardWindow(wanted.card_type, wanted.since, wanted.until)
        if wanted != TransactionFilter(wanted.since, wanted.until, wanted.card_type):
            window = None
    # By its key: the index of a clustered collection may have another name than `_id_`.
    return CountPlan(match, _build_collation(wanted), hint=None if match else {"_id": 1}, window=window)


def _build_collation(wanted: TransactionFilter) -> dict[str, Any] | None:
    return CASE_INSENSITIVE if wanted.card_type is not None or wanted.country is not None else None


def build_match(wanted: TransactionFilter) -> dict[str, Any]:
    """Give the conditions of a filter; texts among them are to be compared by CASE_INSENSITIVE."""
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
    """Give the end of a range, chosen of the two forms in which an amount may be stored, so that it holds both.

    15 significant digits and a double name each other exactly. To the server 0.1 as a decimal is the lesser of the two.
    """
    double = float(amount)
    exact = Decimal(double)
    return double if choose(exact, amount) == exact else Decimal128(amount)


def _build_seek(match: dict[str, Any], order: Order, page: Page) -> dict[str, Any]:
    """Add the page's positions to a match.

    A position splits the rows beyond it in two: equal in the sort field with a later `_id`, and later in the sort
    field; and, where any value may come, in those beyond all numbers. Written as a rooted $or, MongoDB reads each from
    the index and merges them, so that a page costs what it returns even when a million rows share one date.
    """
    positions = [(place, forward) for place, forward in ((page.after, True), (page.before, False)) if place]
    # Between two numbers, and where a filter bounds the field, there are only numbers.
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
    """Compare a field as the server orders values, of whatever types: a plain operator finds those of one alone."""
    return {"$expr": {operator: [f"${field}", {"$literal": value}]}}


def _merge(*matches: dict[str, Any]) -> dict[str, Any] | None:
    """Join matches into one, or None where they ask one field to equal two values."""
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
