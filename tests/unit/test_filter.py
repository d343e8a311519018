"""Callers' input is parsed exactly, or refused with the field's name."""

from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from database.errors import GatewayError, InvalidAmountError, hide_secrets, quote_value
from database.query import DAY_MS
from schema.filter import MAX_AMOUNT_DIGITS, MAX_DAYS, parse_amount, parse_country, parse_days, parse_filter

decimals = st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**13), max_value=10**13)


@given(days=st.integers(0, MAX_DAYS), now_ms=st.integers(0, 2**45))
def test_a_window_ends_now_and_is_whole_days_long(days: int, now_ms: int) -> None:
    """The window of n days is [now - n * 24 h, now]."""
    wanted = parse_filter(days=days).build_filter(now_ms)
    assert (wanted.since, wanted.until) == (now_ms - days * DAY_MS, now_ms)


@given(days=st.integers())
def test_days_are_taken_from_0_to_the_most_and_no_further(days: int) -> None:
    """A whole number within bounds is accepted, and refused by name otherwise."""
    if 0 <= days <= MAX_DAYS:
        assert parse_days(str(days), "days") == parse_days(days, "days") == days
    else:
        with pytest.raises(GatewayError, match=f"^days .*0 to {MAX_DAYS}"):
            parse_days(days, "days")


@given(amount=decimals)
def test_an_amount_is_read_exactly(amount: Decimal) -> None:
    """An amount with two decimals is the same number with or without trailing zeros, and as a double."""
    for text in (str(amount), format(amount.normalize(), "f"), format(amount, "f") + "0"):
        assert parse_amount(text, "min") == amount
    assert Decimal(repr(float(amount))) == amount


@given(low=decimals, high=decimals)
def test_doubles_compare_as_their_decimals_do(low: Decimal, high: Decimal) -> None:
    """Comparing amounts as doubles, as the database does, gives the same result as comparing decimals."""
    assume(all(len(amount.normalize().as_tuple().digits) <= MAX_AMOUNT_DIGITS for amount in (low, high)))
    assert (float(low) <= float(high)) is (low <= high)


@given(text=st.text(max_size=60))
def test_any_text_is_an_amount_or_refused_by_name(text: str) -> None:
    """Any text is a valid amount or raises InvalidAmountError."""
    try:
        assert parse_amount(text, "max") == Decimal(text)
    except InvalidAmountError as error:
        assert str(error).startswith("max ")


@given(code=st.text(max_size=4))
def test_a_country_is_two_capital_letters_or_refused(code: str) -> None:
    """Any text yields an alpha-2 code or an error."""
    try:
        country = parse_country(code, "country")
    except GatewayError as error:
        assert str(error).startswith("country ")
    else:
        assert len(country) == 2
        assert country.isascii()
        assert country.isupper()


@pytest.mark.parametrize(("code", "country"), [("US", "US"), ("usa", "US"), ("Gbr", "GB"), ("xk", "XK")])
def test_alpha_3_codes_mean_their_alpha_2(code: str, country: str) -> None:
    """An alpha-3 code yields its alpha-2 code."""
    assert parse_country(code, "country") == country


@given(digits=st.integers(10**11, 10**19 - 1).map(str), before=st.text("ab /", max_size=5))
def test_card_numbers_are_hidden_in_any_text(digits: str, before: str) -> None:
    """Twelve to nineteen digits, with or without spaces between them, are hidden."""
    spaced = " ".join(digits[i : i + 4] for i in range(0, len(digits), 4))
    for text in (f"{before}{digits}", f"{before}{spaced}."):
        assert digits not in hide_secrets(text)
        assert spaced not in hide_secrets(text)
        assert digits[:8] not in quote_value(text)
