"""The seeded transactions."""

import hashlib
import json
import re
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import median

import pytest
from faker.factory import Factory
from hypothesis import given
from hypothesis import strategies as st

from seeding.country import COUNTRIES
from seeding.document import YEAR, Document, build_documents, build_identifiers
from seeding.plan import CHUNK, Plan, new_plan
from seeding.pool import build_pools
from tests.reference import KEYS

POOLS = build_pools(7)
UNTIL = 1_795_000_000_000

seeds = st.integers()
chunks = st.integers(0, 10**9)
sizes = st.integers(1, 40)
moments = st.integers(YEAR, 2**42)


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    return [document for chunk in range(20) for document in build_documents(7, chunk, CHUNK, POOLS, UNTIL)]


@given(seeds, chunks, sizes, moments)
def test_each_document_has_the_shape_of_the_design(seed: int, chunk: int, size: int, until: int) -> None:
    """Each document has the design's nine fields in order, with their types and within their bounds."""
    for document in build_documents(seed, chunk, size, POOLS, until):
        identifier = uuid.UUID(document["_id"])
        cents = Decimal(repr(document["amount"])) * 100

        assert tuple(document) == KEYS
        assert str(identifier) == document["_id"]
        assert identifier.version == 4
        assert identifier.variant == uuid.RFC_4122
        assert type(document["date"]) is int
        assert until - YEAR < document["date"] <= until
        assert type(document["amount"]) is float
        assert cents == cents.to_integral_value()
        assert cents >= 0


@given(seeds, chunks, sizes, sizes, moments)
def test_a_shorter_set_is_the_start_of_a_longer_one(seed: int, chunk: int, size: int, more: int, until: int) -> None:
    """Fewer documents of a chunk are the first of more, and the ids alone equal those of the documents."""
    longer = build_documents(seed, chunk, size + more, POOLS, until)

    assert build_documents(seed, chunk, size, POOLS, until) == longer[:size]
    assert build_identifiers(seed, chunk, size) == [document["_id"] for document in longer[:size]]


@given(seeds, chunks, moments, st.integers(0, 30 * 24 * 3_600_000))
def test_a_later_end_moves_only_what_became_too_old(seed: int, chunk: int, until: int, later: int) -> None:
    """With a later end, a document keeps its date or moves forward by exactly 52 weeks; nothing else changes."""
    for before, after in zip(
        build_documents(seed, chunk, 20, POOLS, until),
        build_documents(seed, chunk, 20, POOLS, until + later),
        strict=True,
    ):
        moves = before["date"] <= until + later - YEAR
        assert after == {**before, "date": before["date"] + (YEAR if moves else 0)}


@given(st.integers(1, 5_000), st.integers(1, 9))
def test_the_shares_of_any_number_of_workers_make_the_whole_set(count: int, workers: int) -> None:
    """Any number of workers taking every n-th chunk together yield the same ids, each once."""
    plan = Plan(count, 7, UNTIL)
    shared = [
        identifier
        for first in range(workers)
        for chunk in range(first, plan.chunks, workers)
        for identifier in build_identifiers(plan.seed, chunk, plan.size_of(chunk))
    ]
    alone = [
        identifier
        for chunk in range(plan.chunks)
        for identifier in build_identifiers(plan.seed, chunk, plan.size_of(chunk))
    ]

    assert len(alone) == count == len(set(alone))
    assert sorted(shared) == sorted(alone)


def test_a_seed_means_the_same_documents_everywhere() -> None:
    """Seed 7 gives these 2,000 documents on every machine and Python; if a new Faker changes them, announce it."""
    made = [build_documents(7, chunk, CHUNK, POOLS, UNTIL) for chunk in range(2)]

    digest = hashlib.sha256(json.dumps(made, ensure_ascii=False).encode()).hexdigest()

    assert digest == "fa757f05a9d3ad3ebc532ae3d14a24973b694143ad26ac25527ea618874fd3dc"


def test_different_seeds_share_nothing() -> None:
    """Two seeds have no id in common."""
    assert not set(build_identifiers(1, 0, CHUNK)) & set(build_identifiers(2, 0, CHUNK))


def test_currency_fits_the_country(documents: list[Document]) -> None:
    """Each country uses its own currency, and every country occurs."""
    currencies = {country.code: country.currency for country in COUNTRIES}

    assert {document["countryOrigin"]: document["currency"] for document in documents} == currencies


def test_countries_and_currencies_are_iso_codes() -> None:
    """Country codes are two capitals, currencies three, and no country occurs twice in the table."""
    assert all(re.fullmatch("[A-Z]{2}", country.code) for country in COUNTRIES)
    assert all(re.fullmatch("[A-Z]{3}", country.currency) for country in COUNTRIES)
    assert len({country.code for country in COUNTRIES}) == len(COUNTRIES)


def test_faker_knows_every_country() -> None:
    """No locale falls back to US addresses."""
    for country in COUNTRIES:
        faker = Factory.create(country.locale, providers=["faker.providers.address"])
        assert faker.get_providers()[0].__lang__ == country.locale


def test_addresses_have_lines_and_rarely_repeat(documents: list[Document]) -> None:
    """Every address has a line break and no outer whitespace; nine in ten occur once."""
    addresses = Counter(document["address"] for document in documents)

    assert all("\n" in address and address == address.strip() for address in addresses)
    assert sum(count == 1 for count in addresses.values()) > 0.9 * len(documents)


def test_amounts_look_like_purchases(documents: list[Document]) -> None:
    """Half of the euro amounts are below 30, one in a hundred is above 300, and the largest is far above the mean."""
    amounts = sorted(document["amount"] for document in documents if document["currency"] == "EUR")

    assert 15 < median(amounts) < 30
    assert amounts[-len(amounts) // 100] > 300
    assert amounts[-1] > 20 * sum(amounts) / len(amounts)


def test_yen_have_no_small_change(documents: list[Document]) -> None:
    """Amounts are whole in currencies without small units."""
    assert all(document["amount"] % 1 == 0 for document in documents if document["currency"] in {"JPY", "KRW"})


def test_days_and_weeks_have_a_rhythm(documents: list[Document]) -> None:
    """In local time, more is bought per weekend day than per weekday, and in the evening than before dawn."""
    clocks = {country.code: timedelta(hours=country.utc_offset) for country in COUNTRIES}
    local = [
        datetime.fromtimestamp(document["date"] / 1000, UTC) + clocks[document["countryOrigin"]]
        for document in documents
    ]
    weekend = sum(moment.weekday() >= 5 for moment in local)
    evening = sum(17 <= moment.hour < 20 for moment in local)
    night = sum(2 <= moment.hour < 5 for moment in local)

    assert weekend / 2 > (len(local) - weekend) / 5
    assert evening > 8 * night


def test_a_plan_without_a_seed_has_one_of_its_own() -> None:
    """Two plans without a seed get different seeds, and end at the start of an hour that has begun."""
    first, second = new_plan(10), new_plan(10)

    assert first.seed != second.seed
    assert first.until % 3_600_000 == 0
    assert first.until <= datetime.now(UTC).timestamp() * 1000
