"""Card numbers are masked, and credentials are hidden in texts."""

import time
import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from database.errors import hide_secrets
from database.row import MASK, mask_card_number


@given(number=st.from_regex(r"[0-9]{8,19}", fullmatch=True))
def test_a_mask_shows_the_last_four_digits_and_not_the_length(number: str) -> None:
    """Every card number becomes twelve asterisks and its last four digits."""
    assert mask_card_number(number) == "************" + number[-4:]


@pytest.mark.parametrize("number", ["", "1", "1234", "1234567", None])
def test_too_short_a_number_is_hidden_whole(number: object) -> None:
    """A number of fewer than eight digits is hidden entirely, as four digits would reveal most of it."""
    assert mask_card_number(number) == MASK


@given(st.text("0123456789abcdef", min_size=64, max_size=64), st.text(max_size=5))
def test_a_credential_is_hidden(secret: str, around: str) -> None:
    """An API key or a JWT in the wrong place is hidden, whatever surrounds it."""
    jwt = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJyZXBvcnRzIn0.c2lnbmF0dXJl"
    hidden = hide_secrets(f"{around} txgw_1f2e3d4c_{secret} {around} {jwt} {around}{jwt}")
    assert not any(secret[at : at + 12] in hidden for at in range(len(secret) - 11))
    assert "eyJzdWIi" not in hidden


@pytest.mark.parametrize("word", ["eyJ", "eyJ-", "txgw_", "1--", "a1", "\N{ARABIC-INDIC DIGIT ONE}" * 11 + "a"])
def test_whatever_is_sent_is_soon_looked_through(word: str) -> None:
    """The work of looking for secrets grows with the length of a text, not with its square."""

    def measure(length: int) -> float:
        text = word * (length // len(word))
        # Processor time, and the least of several: other programs on the machine must not count.
        return min(timeit.repeat(lambda: hide_secrets(text), timer=time.thread_time, number=1, repeat=5))

    assert measure(60_000) < 40 * measure(6_000)
