"""Generate transactions from a seed: document i depends only on (seed, i), never on workers or order.

Draw only with integers and exact arithmetic: neither `random` nor libm guarantees the same digits on every machine. The
one table that libm computes, _QUANTILES, is rounded to whole cents.
"""

import hashlib
import math
import struct
from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from statistics import NormalDist
from typing import Any, TypeAlias

from seeding.card import BRANDS, build_card_number
from seeding.country import COUNTRIES, Country
from seeding.pool import Pool

Document: TypeAlias = dict[str, Any]

_HOUR = 3_600_000
_WEEK = 7 * 24 * _HOUR
# 52 weeks, not 365 days, so that a date that moves by a year keeps its weekday.
YEAR = 52 * _WEEK
# The epoch began on a Thursday; this is the first Monday after it.
_MONDAY = 4 * 24 * _HOUR

# Weights of purchases by local hour: a lunch peak and an evening peak; at weekends, later and more purchases.
_WEEKDAY = (2, 1, 1, 1, 1, 2, 5, 9, 12, 13, 14, 17, 22, 19, 15, 15, 17, 21, 25, 23, 17, 11, 7, 4)
_WEEKEND = (4, 3, 2, 1, 1, 1, 3, 6, 11, 18, 24, 27, 28, 26, 25, 25, 24, 24, 25, 25, 22, 17, 12, 8)


def _spread(shares: Sequence[int]) -> tuple[int, ...]:
    """Repeat each position by its share, so that one modulo draws by weight."""
    return tuple(chain.from_iterable(repeat(position, share) for position, share in enumerate(shares)))


_COUNTRY_TABLE = _spread([country.share for country in COUNTRIES])
_BRAND_TABLE = _spread([brand.share for brand in BRANDS])
_HOUR_TABLE = _spread(_WEEKDAY * 5 + _WEEKEND * 2)

# Purchases are lognormal: half of them below 24 euro, 1 % above about 440. Cents, at equal steps of probability.
_MEDIAN, _SIGMA, _STEPS = 24.0, 1.25, 4096
_QUANTILES = tuple(
    round(100 * _MEDIAN * math.exp(_SIGMA * NormalDist().inv_cdf((step + 0.25) / (_STEPS + 0.5))))
    for step in range(_STEPS + 1)
)
# The cents that half of the prices end in.
_ENDINGS = (99, 99, 99, 95, 90, 50, 0, 0)

# id, card digits, vendor, address, house, amount, instant, country, brand, prefix, length, week, hour, ending
_DRAW = struct.Struct("<16sQIIIIIHHHHHHB")


def build_documents(seed: int, chunk: int, size: int, pools: Sequence[Pool], until: int) -> list[Document]:
    """Build the first `size` documents of a chunk.

    Args:
        seed: any integer; it selects the set.
        chunk: the position of the chunk in the set, from 0.
        size: the number of documents; a smaller one gives a prefix of the same documents.
        pools: the result of `build_pools` for the same seed.
        until: the latest date, in ms since the epoch, UTC. All dates lie in the 52 weeks that end with it. Modulo 52
            weeks they do not depend on it, so a later `until` moves only the oldest documents, to the newest end.
    """
    return [
        _build_document(draw, pools[_COUNTRY_TABLE[draw[7] % len(_COUNTRY_TABLE)]], until)
        for draw in _draw(seed, chunk, size)
    ]


def build_identifiers(seed: int, chunk: int, size: int) -> list[str]:
    """Build only the `_id`s of the documents of `build_documents`, at a tenth of the cost."""
    return [_build_uuid4(draw[0]) for draw in _draw(seed, chunk, size)]


def _draw(seed: int, chunk: int, size: int) -> Iterator[tuple[Any, ...]]:
    # SHAKE has an output of any length; a shorter output is a prefix of a longer one.
    return _DRAW.iter_unpack(hashlib.shake_128(f"{seed}/{chunk}".encode()).digest(_DRAW.size * size))


def _build_document(draw: tuple[Any, ...], pool: Pool, until: int) -> Document:
    identifier, digits, vendor, address, house, amount, instant, _, brand, prefix, length, week, hour, ending = draw
    country = pool.country
    street = pool.streets[address % len(pool.streets)]
    card = BRANDS[_BRAND_TABLE[brand % len(_BRAND_TABLE)]]
    return {
        "_id": _build_uuid4(identifier),
        "date": _build_date(country, week, hour, instant, until),
        "currency": country.currency,
        "amount": _build_amount(country, amount, ending),
        # Squaring makes the first vendors of a pool the most frequent.
        "vendor": pool.vendors[(vendor * vendor >> 32) * len(pool.vendors) >> 32],
        "address": f"{street.before}{house % street.numbers + 1}{street.after}" if street.numbers else street.before,
        "cardType": card.name,
        "cardNumber": build_card_number(card, prefix, length, digits),
        "countryOrigin": country.code,
    }


def _build_uuid4(data: bytes) -> str:
    text = data.hex()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[data[8] & 3]}{text[17:20]}-{text[20:]}"


def _build_date(country: Country, week: int, hour: int, instant: int, until: int) -> int:
    local = _MONDAY + week % 52 * _WEEK + _HOUR_TABLE[hour % len(_HOUR_TABLE)] * _HOUR + instant % _HOUR
    return until - (until - local + country.utc_offset * _HOUR) % YEAR


def _build_amount(country: Country, amount: int, ending: int) -> float:
    step, part = amount >> 20, amount & 0xFFFFF
    cents = (_QUANTILES[step] * (0x100000 - part) + _QUANTILES[step + 1] * part) * country.price >> 20
    if country.whole:
        cents -= cents % 100
    elif cents >= 100 and ending < 128:  # noqa: PLR2004 - 100 cents; half of a byte's values
        cents += _ENDINGS[ending % len(_ENDINGS)] - cents % 100
    # A correctly rounded division gives the double nearest to the two decimals.
    return cents / 100
