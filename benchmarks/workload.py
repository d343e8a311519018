"""The questions whose cost is followed as the data grows: what each asks, and how it is timed. It sends nothing."""

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
# How often what is asked once in a place or a window is asked in another.
_PLACES = 24
_FIELDS = "id date currency amount vendor address cardType cardNumber countryOrigin"
_COUNT_BOUND = Bound(5, is_worse=True)


class Timing(Enum):
    """What of an answer is timed: to the first byte of its body, or to its end."""

    START = "start"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the workload.

    Attributes:
        asks: one request, asked again and again; or several, each asked once, so that none finds what it left behind.
        has_rollups: whether the gateway that is asked keeps counts in memory.
        bound: of the largest data's median against the smallest's.
    """

    name: str
    asks: tuple[Ask, ...]
    timing: Timing = Timing.WHOLE
    has_rollups: bool = True
    bound: Bound | None = None


def build_questions(now_ms: int, row_id: str) -> tuple[Question, ...]:
    """Give the workload; `now_ms` (since the epoch) is where the windows end, `row_id` a transaction's."""
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
        # Last: so much passes through the server's cache that it would cost the others their place in it.
        Question("list: whole", (Ask(path),)),
    )


def build_window(now_ms: int) -> CardWindow:
    """Give the window and card of the workload's counts, for whoever asks the server itself."""
    return CardWindow(CARD, now_ms - DAYS * _DAY_MS, now_ms)


def _build_deep_pages(now_ms: int) -> tuple[Ask, ...]:
    """Give pages from all over the window, each after a place where no other page has been."""
    places = (now_ms - number * DAYS * _DAY_MS // (_PLACES + 2) for number in range(1, _PLACES + 2))
    cursors = (encode_cursor(Order.DATE_DESC.name, Position(place, "8")) for place in places)
    return tuple(Ask(f"/transactions/{DAYS}?limit={_PAGE}&after={cursor}") for cursor in cursors)


def _build_other_windows() -> tuple[Ask, ...]:
    """Give windows of about the same length, each beginning in an hour whose dates memory has not read."""
    return tuple(Ask(f"/transactions/{DAYS - number}/card/{CARD}") for number in range(1, _PLACES + 2))


def _ask_largest(condition: str) -> Ask:
    return _ask_graphql(
        f"{{transactions(filter:{{days:{DAYS} {condition}}},first:{_PAGE},orderBy:AMOUNT_DESC){{nodes{{{_FIELDS}}}}}}}"
    )


def _ask_total(condition: str) -> Ask:
    return _ask_graphql(f"{{transactions(filter:{{days:{DAYS} {condition}}}){{totalCount}}}}")


def _ask_graphql(query: str) -> Ask:
    return Ask("/graphql", json.dumps({"query": query}))
