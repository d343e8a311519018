"""Content negotiation (RFC 9110, section 12.5): which of the offered media types or codings a request prefers."""

from collections.abc import Sequence
from functools import lru_cache

from gateway.errors import NotAcceptableError

# Browsers send ten at most. A head has room for 30,000, and parsing them would take a tenth of a second.
_MOST_RANGES = 100


def choose_media_type(accept: Sequence[str], offers: Sequence[str]) -> str:
    """Return the offer that the Accept lines prefer, the earlier of equals; without a line, the first.

    Raises:
        NotAcceptableError: the lines exclude every offer.
    """
    return _choose(",".join(accept), tuple(offers))


@lru_cache(maxsize=64)
def _choose(accept: str, offers: tuple[str, ...]) -> str:
    ranges = [_parse_range(part) for part in _split(accept) if part.strip()]
    if not ranges:
        return offers[0]
    best = max(offers, key=lambda offer: _get_quality(offer, ranges))
    if _get_quality(best, ranges) == 0:
        raise NotAcceptableError(f"Accept allows none of this path's media types: {', '.join(offers)}.")
    return best


@lru_cache(maxsize=64)
def choose_coding(accept_encoding: bytes, offers: tuple[str, ...]) -> tuple[str | None, bool]:
    """Return the offer that Accept-Encoding prefers, the earlier of equals, or None if it prefers the plain body.

    The second value is whether the header excludes the plain body. If it excludes every offer too, the plain body is
    chosen all the same: section 12.5.3 permits that, and there is nothing better to send.
    """
    weights = dict(_parse_range(part) for part in _split(accept_encoding.decode("latin-1")))

    def weigh(coding: str) -> float:
        return weights.get(coding, weights.get("*", 0.0))

    best = max(offers, key=weigh)
    if weigh(best) == 0 or weigh(best) < weights.get("identity", 0.0):
        return None, False
    return best, weights.get("identity", weights.get("*", 1.0)) == 0


def _split(header: str) -> list[str]:
    """Return the first elements of a list; the others are ignored."""
    return header.split(",", _MOST_RANGES)[:_MOST_RANGES]


def _parse_range(text: str) -> tuple[str, float]:
    media_range, *parameters = (part.strip().lower() for part in text.split(";"))
    quality = next((value[2:] for value in parameters if value.startswith("q=")), "1")
    try:
        weight = float(quality)
    except ValueError:
        return media_range, 0.0
    return media_range, weight if 0 <= weight <= 1 else 0.0


def _get_quality(offer: str, ranges: Sequence[tuple[str, float]]) -> float:
    """Return the quality of the most specific range that matches, or 0 if none does."""
    for candidate in (offer, f"{offer.split('/', maxsplit=1)[0]}/*", "*/*"):
        qualities = [quality for media_range, quality in ranges if media_range == candidate]
        if qualities:
            return max(qualities)
    return 0.0
