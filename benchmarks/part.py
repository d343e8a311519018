"""The parts of the speed benchmark: the requests, the programs compared, and the targets. It measures nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from benchmarks.measure import Bound, Unit
from benchmarks.peer import APOLLO, EVE_ITSELF, FLASK, FLASK_RUN, HELLO, MERCURIUS, STRAWBERRY, YOGA
from benchmarks.question import Ask, Dialect, ask_rest_page

CARD_TYPES = ("Visa", "Mastercard", "Amex", "Maestro", "Discover")
DAYS, ALL_DAYS = 90, 365
PAGE_ROWS, LARGE_PAGE_ROWS = 100, 5_000
# Of 20,000 transactions in a year, so many days hold about as many as the large page.
DAYS_OF_LARGE_PAGE = 91

# What the gateway is compared with besides PEERS.
RAW = "mongod's raw batches"
OWN_PAGE = "its own REST page"
OWN_LIST = f"its own REST list, {DAYS_OF_LARGE_PAGE} days"


class Figure(Enum):
    """What is measured: answers per second to many clients, or the time to an answer's end or start for one client."""

    RATE = "rate"
    WHOLE = "whole"
    FIRST = "first"

    @property
    def unit(self) -> Unit:
        return Unit.RATE if self is Figure.RATE else Unit.TIME


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the benchmark.

    Attributes:
        ask: builds a dialect's requests, to be cycled through; none if the dialect has no such request.
        against: the programs that the gateway is compared with, each with its target.
    """

    name: str
    work: str
    figure: Figure
    ask: Callable[[Dialect], Sequence[Ask]]
    against: Mapping[str, Bound | None]


# Every pair of days and card once, neighbours far apart: a client that gets half way has met a similar mix.
_STRIDE = 997
_PAIRS = [(days, card_type) for days in range(1, ALL_DAYS + 1) for card_type in CARD_TYPES]
_DIFFERENT = [_PAIRS[number * _STRIDE % len(_PAIRS)] for number in range(len(_PAIRS))]
# Fewer days than this hold fewer rows than a page.
_FEWEST_DAYS = 10


def _ask_list(dialect: Dialect) -> Sequence[Ask]:
    return [dialect.rows(DAYS)] if dialect.rows else []


def _ask_count(dialect: Dialect) -> Sequence[Ask]:
    return [dialect.count(DAYS, CARD_TYPES[0])] if dialect.count else []


def _ask_different_counts(dialect: Dialect) -> Sequence[Ask]:
    return [dialect.count(days, card_type) for days, card_type in _DIFFERENT] if dialect.count else []


def _ask_large_page(dialect: Dialect) -> Sequence[Ask]:
    return [dialect.page(ALL_DAYS, LARGE_PAGE_ROWS)] if dialect.page else []


def _ask_different_pages(dialect: Dialect) -> Sequence[Ask]:
    if dialect.page is None:
        return []
    different = [days for days, card_type in _DIFFERENT if card_type == CARD_TYPES[0] and days >= _FEWEST_DAYS]
    return [dialect.page(days, PAGE_ROWS) for days in different]


# The gateway itself, with other requests.
OWN_ASKS = {
    OWN_PAGE: ask_rest_page(ALL_DAYS, LARGE_PAGE_ROWS),
    OWN_LIST: Ask(f"/transactions/{DAYS_OF_LARGE_PAGE}"),
}

PARTS = (
    Part(
        "list",
        f"list of {DAYS} days, REST, 16 clients",
        Figure.RATE,
        _ask_list,
        {FLASK: Bound(8), FLASK_RUN: None, STRAWBERRY: None, EVE_ITSELF: None, MERCURIUS: None},
    ),
    Part(
        "count",
        "count by card, REST, 16 clients, the same question",
        Figure.RATE,
        _ask_count,
        {FLASK: Bound(300), FLASK_RUN: None, STRAWBERRY: None, EVE_ITSELF: None, MERCURIUS: None, HELLO: None},
    ),
    Part(
        "counts",
        "count by card, REST, 16 clients, all different questions",
        Figure.RATE,
        _ask_different_counts,
        {MERCURIUS: Bound(1.2), STRAWBERRY: None},
    ),
    Part(
        "graphql",
        f"list of {LARGE_PAGE_ROWS:,} rows, 9 fields, GraphQL, one client",
        Figure.WHOLE,
        _ask_large_page,
        {
            STRAWBERRY: Bound(5),
            MERCURIUS: Bound(2),
            APOLLO: None,
            YOGA: None,
            OWN_PAGE: Bound(1.25, is_worse=True),
            OWN_LIST: None,
        },
    ),
    Part(
        "pages",
        f"{PAGE_ROWS} rows, GraphQL, 16 clients, different variables",
        Figure.RATE,
        _ask_different_pages,
        {MERCURIUS: Bound(1.5), APOLLO: None, YOGA: None, STRAWBERRY: None},
    ),
    Part(
        "wire",
        f"list of {DAYS} days, REST, one client",
        Figure.WHOLE,
        _ask_list,
        {RAW: Bound(1.4, is_worse=True)},
    ),
    Part("first", f"list of {DAYS} days, REST, one client: the first bytes", Figure.FIRST, _ask_list, {RAW: None}),
)
