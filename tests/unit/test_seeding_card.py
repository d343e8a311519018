"""Card numbers of the seeded transactions."""

from hypothesis import given
from hypothesis import strategies as st

from seeding.card import BRANDS, Brand, build_card_number

naturals = st.integers(0, 2**64 - 1)


def _passes_luhn(number: str) -> bool:
    """The check of ISO/IEC 7812-1 Annex B, digit by digit."""
    total = 0
    for position, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _fits_brand(brand: str, number: str) -> bool:
    """Prefix and length as published by the networks."""
    match brand:
        case "Visa":
            return number[0] == "4" and len(number) == 16
        case "Mastercard":
            return len(number) == 16 and (51 <= int(number[:2]) <= 55 or 2221 <= int(number[:4]) <= 2720)
        case "Amex":
            return len(number) == 15 and number[:2] in {"34", "37"}
        case "Discover":
            in_range = number[:4] == "6011" or number[:2] == "65" or 644 <= int(number[:3]) <= 649
            return len(number) == 16 and in_range
        case "Maestro":
            issuers = {"5018", "5020", "5038", "5893", "6304", "6759", "6761", "6762", "6763"}
            return 12 <= len(number) <= 19 and number[:4] in issuers
    return False


@given(st.sampled_from(BRANDS), naturals, naturals, naturals)
def test_every_number_is_valid_for_its_brand(brand: Brand, prefix: int, length: int, digits: int) -> None:
    """Every number passes Luhn and has a prefix and length of its brand."""
    number = build_card_number(brand, prefix, length, digits)

    assert number.isascii()
    assert number.isdigit()
    assert _passes_luhn(number)
    assert _fits_brand(brand.name, number)


def test_the_brands_are_those_of_the_design() -> None:
    """Visa, Mastercard, Amex, Maestro and Discover occur, Visa most often."""
    assert {brand.name for brand in BRANDS} == {"Visa", "Mastercard", "Amex", "Maestro", "Discover"}
    assert max(BRANDS, key=lambda brand: brand.share).name == "Visa"
