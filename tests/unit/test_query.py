"""What a count may be asked of memory instead of the server."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from database.query import CardWindow, TransactionFilter, build_count_plan

ONE_CARD = TransactionFilter(since=5, until=9, card_type="Visa")


def test_a_card_in_a_window_is_memorys_question() -> None:
    """One card between two dates is what memory knows, and the server is asked the same where it does not."""
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
    """Whatever else is asked, or not asked, memory would count other transactions."""
    assert build_count_plan(replace(ONE_CARD, **change)).window is None
