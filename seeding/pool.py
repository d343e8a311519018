"""Vendors and addresses of each country, by Faker: pools, as Faker for each document would take longer than MongoDB."""

import re
from dataclasses import dataclass
from functools import lru_cache

from seeding.country import COUNTRIES, Country

# Each worker builds all pools before its first document, about 0.3 ms an entry.
_ENTRIES = 3_000
_FEWEST = 30
_PROVIDERS = ["faker.providers.address", "faker.providers.company", "faker.providers.person"]
# The house number is the first on the first line; numbers further down are postcodes.
_NUMBER = re.compile(r"([^\d\n]*)(\d+)(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Street:
    """An address around its house number, which each document draws anew from 1 to `numbers` (0: it has none)."""

    before: str
    numbers: int
    after: str


@dataclass(frozen=True, slots=True)
class Pool:
    """What the documents of one country are composed from."""

    country: Country
    vendors: tuple[str, ...]
    streets: tuple[Street, ...]


@lru_cache(maxsize=1)
def build_pools(seed: int) -> tuple[Pool, ...]:
    """Give a pool for each country, in the order of `COUNTRIES`; the same for the same seed and version of Faker."""
    total = sum(country.share for country in COUNTRIES)
    return tuple(build_pool(country, seed, max(_FEWEST, _ENTRIES * country.share // total)) for country in COUNTRIES)


def build_pool(country: Country, seed: int, entries: int) -> Pool:
    """Give a pool of so many vendors and streets."""
    # It takes a third of a second to import: the parent does not need it, and the workers do it side by side.
    from faker.factory import Factory  # noqa: PLC0415

    faker = Factory.create(country.locale, providers=_PROVIDERS)
    # Text, not a tuple: the generator seeds itself from a string by SHA-512, never by hash().
    faker.seed_instance(f"{seed}/{country.code}")
    vendors = tuple(faker.format("company") for _ in range(entries))
    streets = tuple(_split(faker.parse(country.address)) for _ in range(entries))
    return Pool(country, vendors, streets)


def _split(address: str) -> Street:
    match = _NUMBER.fullmatch(address)
    if match is None:
        return Street(address, 0, "")
    before, number, after = match.groups()
    return Street(before, 10 ** max(2, len(number)) - 1, after)
