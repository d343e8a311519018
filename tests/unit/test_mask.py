"""Masked card numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from database.repository import MASK, mask_card_number


@given(number=st.from_regex(r"[0-9]{8,19}", fullmatch=True))
def test_a_mask_shows_the_last_four_digits_and_not_the_length(number: str) -> None:
    """Every card number becomes twelve asterisks and its last four digits."""
    assert mask_card_number(number) == "************" + number[-4:]


@pytest.mark.parametrize("number", ["", "1", "1234", "1234567", None])
def test_too_short_a_number_is_hidden_whole(number: object) -> None:
    """Four digits of a number that has hardly more would give it away."""
    assert mask_card_number(number) == MASK
