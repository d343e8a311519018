"""The queries whose cost is tracked as the data grows: their requests, and how they are timed. It sends nothing."""

import json
from dataclasses import dataclass
from enum import Enum

from benchmarks.measure import Bound
from benchmarks.question import Ask, ask_rest_page
from database.cursor import Position, encode_cursor
from database.query import CardWindow, Order

DAYS = 90
CARD = "Visa"
_COUNTRY = "US"
_PAGE = 100
_DAY_MS = 86_400_000
# How many more positions or windows are queried, for queries that are sent only once for each.
_PLACES = 24
_FIELDS = "id date currency amount vendor address cardType cardNumber countryOrigin"
_COUNT_BOUND = Bound(5, is_worse=True)


class Timing(Enum):
    """What is timed of an answer: the time to the first byte of its body, or to its end."""

    START = "start"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Question:
    """A query of the workload.

    Attributes:
        asks: one request, sent repeatedly; or several, each sent once, so that none benefits from its own earlier run.
        has_rollups: whether the gateway under test keeps counts in memory.
        bound: target for the ratio of the largest size's median to the smallest's.
    """

    name: str
    asks: tuple[Ask, ...]
    timing: Timing = Timing.WHOLE
    has_rollups: bool = True
    bound: Bound | None = None


def build_questions(now_ms: int, row_id: str) -> tuple[Question, ...]:
    """Build the workload; windows end at `now_ms` (since the epoch), and `row_id` is the id of a transaction."""
    path = f"/transactions/{DAYS}"
    count = (Ask(f"{path}/card/{CARD}"),)
    amounts = f"{path}/amount"
    every = f"?limit={_PAGE}&card={CARD}&country={_COUNTRY}&minAmount=100&maxAmount=999"
    of_country = f'country:"{_COUNTRY}"'
    return (
        Question("list: first byte", (Ask(path),), Timing.START, bound=Bound(2, is_worse=True)),
        Question("page: newest", (ask_rest_page(DAYS, _PAGE),)),
        Question("page: after a cursor, always another", _build_deep_pages(now_ms)),
        Question("page: a country", (Ask(f"{path}/country/{_COUNTRY}?limit={_PAGE}"),)),
        Question("page: amounts 100 to 999", (Ask(f"{amounts}/100/999?limit={_PAGE}"),)),
        Question("page: amounts 1234 to 1235", (Ask(f"{amounts}/1234/1235?limit={_PAGE}"),)),
        Question("page: card, country, amounts 100 to 999", (Ask(path + every),)),
        Question("page: largest amounts first", (_ask_largest(""),)),
        Question("page: a country, largest amounts first", (_ask_largest(of_country),)),
        Question("transaction by id", (_ask_graphql(f'{{transaction(id:"{row_id}"){{{_FIELDS}}}}}'),)),
        Question("count: a card", count, bound=_COUNT_BOUND),
        Question("count: a card, first in an hour", _build_other_windows(), bound=_COUNT_BOUND),
        Question("count: a card, without rollups", count, has_rollups=False),
        Question("count: all", (_ask_total(""),)),
        Question("count: a country", (_ask_total(of_country),)),
        Question("count: amounts 100 to 999", (_ask_total('minAmount:"100",maxAmount:"999"'),)),
        # Last, because it reads so much that it evicts the other queries' data from the server's cache.
        Question("list: whole", (Ask(path),)),
    )


def build_window(now_ms: int) -> CardWindow:
    """Return the window and card of the workload's counts, for a count by the server itself."""
    return CardWindow(CARD, now_ms - DAYS * _DAY_MS, now_ms)


def _build_deep_pages(now_ms: int) -> tuple[Ask, ...]:
    """Build requests for pages spread over the window, each after a position of its own."""
    places = (now_ms - number * DAYS * _DAY_MS // (_PLACES + 2) for number in range(1, _PLACES + 2))
    cursors = (encode_cursor(Order.DATE_DESC.name, Position(place, "8")) for place in places)
    return tuple(Ask(f"/transactions/{DAYS}?limit={_PAGE}&after={cursor}") for cursor in cursors)


def _build_other_windows() -> tuple[Ask, ...]:
    """Build counts over windows of similar length, each beginning in an hour whose dates the rollup has not read."""
    return tuple(Ask(f"/transactions/{DAYS - number}/card/{CARD}") for number in range(1, _PLACES + 2))


def _ask_largest(condition: str) -> Ask:
    return _ask_graphql(
        f"{{transactions(filter:{{days:{DAYS} {condition}}},first:{_PAGE},orderBy:AMOUNT_DESC){{nodes{{{_FIELDS}}}}}}}"
    )


def _ask_total(condition: str) -> Ask:
    return _ask_graphql(f"{{transactions(filter:{{days:{DAYS} {condition}}}){{totalCount}}}}")


def _ask_graphql(query: str) -> Ask:
    return Ask("/graphql", json.dumps({"query": query}))
