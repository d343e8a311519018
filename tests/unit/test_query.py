"""What a filter and an order query, and which counts memory can answer instead of the server."""

from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest

from database.index import CASE_INSENSITIVE, INDEXES
from database.match import match
from database.query import CardWindow, Order, TransactionFilter, build_count_plan, build_match

NUMBERS: dict[str, Any] = {"since": 1, "until": 1, "min_amount": Decimal(1), "max_amount": Decimal(1)}
ONE_CARD = TransactionFilter(since=5, until=9, card_type="Visa")


def test_a_card_in_a_window_is_memorys_question() -> None:
    """One card type in a window can be counted from memory, and the server's filter means the same."""
    plan = build_count_plan(ONE_CARD)
    assert plan.window == CardWindow("Visa", 5, 9)
    assert plan.filter == {"date": {"$gte": 5, "$lte": 9}, "cardType": {"$eq": "Visa"}}


@pytest.mark.parametrize(
    "change",
    [
        {"since": None},
        {"until": None},
        {"card_type": None},
        {"country": "US"},
        {"min_amount": Decimal(1)},
        {"max_amount": Decimal(1)},
    ],
)
def test_any_other_question_is_the_servers(change: dict[str, Any]) -> None:
    """With any other condition, or without one of these, memory would count other transactions."""
    assert build_count_plan(replace(ONE_CARD, **change)).window is None


@pytest.mark.parametrize("name", [field.name for field in fields(TransactionFilter)])
def test_each_condition_is_asked_of_the_server_and_judged_in_memory(name: str) -> None:
    """Each condition adds to the server's filter, ignores the case of text, and matches no empty document."""
    wanted = replace(TransactionFilter(), **{name: NUMBERS.get(name, "x")})
    assert build_match(wanted)
    assert build_count_plan(wanted).collation == (None if name in NUMBERS else CASE_INSENSITIVE)
    assert match({}, wanted) is False


@pytest.mark.parametrize("order", Order, ids=lambda order: order.name)
def test_each_order_comes_out_of_an_index(order: Order) -> None:
    """An index begins with each order's sort keys, in either direction, so that nothing is sorted in memory."""
    sorts = [((order.field, sign), ("_id", sign)) for sign in (1, -1)]
    assert any(index.keys[:2] in sorts for index in INDEXES)
