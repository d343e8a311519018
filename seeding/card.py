"""Build card numbers that pass the checks of payment forms: the brand's prefix and length, and the Luhn digit."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Brand:
    """A card brand: its share of all cards, and its prefixes and lengths, each repeated by its weight."""

    name: str
    share: int
    prefixes: tuple[str, ...]
    lengths: tuple[int, ...]


BRANDS = (
    Brand("Visa", 50, ("4",), (16,)),
    # The 2-series is recent: a fifth of the cards.
    Brand("Mastercard", 30, ("51", "52", "53", "54", "55") * 400 + tuple(map(str, range(2221, 2721))), (16,)),
    Brand("Amex", 9, ("34", "37"), (15,)),
    Brand(
        "Maestro",
        6,
        ("5018", "5020", "5038", "5893", "6304", "6759", "6761", "6762", "6763"),
        (16,) * 9 + (18, 18, 19, 12, 13, 14, 15, 17),
    ),
    Brand("Discover", 5, ("6011", "65", "644", "645", "646", "647", "648", "649"), (16,)),
)

# Map ASCII digits to their values, and to the digit sums of their doubles (Luhn).
_PLAIN = bytes.maketrans(b"0123456789", bytes(range(10)))
_DOUBLED = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))


def build_card_number(brand: Brand, prefix: int, length: int, digits: int) -> str:
    """Build a valid number of the brand; each of the three integers, from 0 and unbounded, selects one part of it."""
    start = brand.prefixes[prefix % len(brand.prefixes)]
    free = brand.lengths[length % len(brand.lengths)] - len(start) - 1
    body = f"{start}{digits % 10**free:0{free}}"
    text = body.encode()
    total = sum(text[-1::-2].translate(_DOUBLED)) + sum(text[-2::-2].translate(_PLAIN))
    return f"{body}{-total % 10}"
