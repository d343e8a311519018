"""Pools of Faker vendors and addresses by country; calling Faker for each document would take longer than MongoDB."""

import re
from dataclasses import dataclass
from functools import lru_cache

from seeding.country import COUNTRIES, Country

# Each worker builds all pools before its first document, at about 0.3 ms per entry.
_ENTRIES = 3_000
_FEWEST = 30
_PROVIDERS = ["faker.providers.address", "faker.providers.company", "faker.providers.person"]
# The house number is the first number on the first line; numbers on later lines are postcodes.
_NUMBER = re.compile(r"([^\d\n]*)(\d+)(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Street:
    """An address without its house number, which each document draws from 1 to `numbers` (0: it has none)."""

    before: str
    numbers: int
    after: str


@dataclass(frozen=True, slots=True)
class Pool:
    """The parts for the documents of one country."""

    country: Country
    vendors: tuple[str, ...]
    streets: tuple[Street, ...]


@lru_cache(maxsize=1)
def build_pools(seed: int) -> tuple[Pool, ...]:
    """Build a pool for each country, in the order of `COUNTRIES`; it depends only on the seed and Faker's version."""
    total = sum(country.share for country in COUNTRIES)
    return tuple(build_pool(country, seed, max(_FEWEST, _ENTRIES * country.share // total)) for country in COUNTRIES)


def build_pool(country: Country, seed: int, entries: int) -> Pool:
    """Build a pool with `entries` vendors and as many streets."""
    # Importing Faker takes a third of a second: the parent does not need it, and the workers import it in parallel.
    from faker.factory import Factory  # noqa: PLC0415

    faker = Factory.create(country.locale, providers=_PROVIDERS)
    # A string: `random` seeds itself from one by SHA-512, never by hash(), which differs in each process.
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
