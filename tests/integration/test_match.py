"""Matching documents in memory agrees with what a real server finds."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from bson.code import Code
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.regex import Regex
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo.collection import Collection

from database.client import open_client, open_sync_client
from database.environment import DatabaseEnvironment
from database.index import COLLECTION
from database.match import match
from database.query import RelativeFilter, TransactionFilter, build_find_plan
from database.repository import CODEC
from database.server_match import match_on_server

_Collection = Collection[dict[str, Any]]

MOMENT = 1_795_000_000_123
DAY_MS = 86_400_000

DATES = [MOMENT, MOMENT + 1, MOMENT - DAY_MS, MOMENT - DAY_MS - 1, 0, -1, 2**53, 2**63 - 1]
AMOUNTS = [0.0, -0.0, 0.1, 99.99, 100.0, 100.01, 1e15, 999999999999999.0, float("inf"), -float("inf")]
DECIMALS = ["0.1", "99.99", "100", "100.00", "1E+30", "NaN", "-Infinity", "0.1000000000000000055"]
# Case, accents, widths, ligatures, letters whose lower case has another length, and characters ignored by collations.
NAMES = [
    *("Visa", "visa", "VISA", "v\u00efsa", "\uff36\uff29\uff33\uff21", "vi\u00adsa", "vi\tsa", "vi sa"),
    *("\ufb00", "ff", "FF", "stra\u00dfe", "strasse", "\u0130", "i", "I", "\u0131", "K", "\u212a", ""),
    *("us", "US", "U\0S", "u-s", "$us", "\u94f6"),
]
OTHERS = [None, True, False, {}, {"a": 1}, b"visa", Code("visa"), Regex("visa"), "5"]
BOUNDS = [None, *map(Decimal, ("0", "0.1", "99.99", "100", "100.00", "999999999999999"))]
DAYS = [None, 0, 1, 36_500]
COUNTRIES = [None, "US", "FF", "VI"]

amounts = st.sampled_from(AMOUNTS)
numbers = (
    st.sampled_from(DATES).map(Int64)
    | st.sampled_from(DATES).map(float)
    | amounts
    | st.integers(-5, 200)
    | st.just(float("nan"))
    | st.sampled_from(DECIMALS).map(Decimal128)
)
names = st.sampled_from(NAMES)
others = st.sampled_from(OTHERS)
absent = st.just("absent")
value = st.one_of(
    numbers, names, others, st.lists(st.one_of(numbers, names, others, st.lists(names)), max_size=3), absent
)

documents = st.fixed_dictionaries({"date": value, "amount": value, "cardType": value, "countryOrigin": value}).map(
    lambda fields: {name: value for name, value in fields.items() if not (isinstance(value, str) and value == "absent")}
)
filters = st.builds(
    RelativeFilter,
    days=st.sampled_from(DAYS),
    others=st.builds(
        TransactionFilter,
        card_type=st.none() | names.filter(bool),
        country=st.sampled_from(COUNTRIES),
        min_amount=st.sampled_from(BOUNDS),
        max_amount=st.sampled_from(BOUNDS),
    ),
)


@pytest.fixture
def collection(environment: DatabaseEnvironment) -> Iterator[_Collection]:
    with open_sync_client(environment) as client:
        collection = client[environment.database].get_collection(COLLECTION, CODEC)
        # Compound indexes accept no two array fields in one document.
        collection.drop_indexes()
        yield collection


def find_ids(collection: _Collection, wanted: TransactionFilter) -> set[int]:
    plan = build_find_plan(wanted)
    return {row["_id"] for row in collection.find(plan.filter, {"_id": 1}, collation=plan.collation)}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given=st.lists(documents, min_size=1, max_size=20), asked=st.lists(filters, min_size=1, max_size=5))
async def test_memory_matches_as_the_server_does(
    collection: _Collection,
    reader_environment: DatabaseEnvironment,
    given: list[dict[str, Any]],
    asked: list[RelativeFilter],
) -> None:
    """A match, in memory or by the server with the reader's rights, is whether a query finds the document."""
    collection.delete_many({})
    collection.insert_many({"_id": number, **document} for number, document in enumerate(given))
    # Decoded as the change stream delivers documents.
    stored = list(collection.find())
    async with open_client(reader_environment) as client:
        for live in asked:
            wanted = live.build_filter(MOMENT)
            found = find_ids(collection, wanted)
            for document in stored:
                is_match = match(document, wanted)
                if is_match is None:
                    is_match = await match_on_server(client[reader_environment.database], document, wanted)
                assert is_match == (document["_id"] in found), (document, wanted)


def test_each_kind_of_value_is_matched_as_the_server_does(collection: _Collection) -> None:
    """For every kind of value, memory finds what the server finds or leaves the decision to the server."""
    plain = [
        *map(Int64, DATES),
        *map(float, DATES),
        *AMOUNTS,
        float("nan"),
        *map(Decimal128, DECIMALS),
        *NAMES,
        *OTHERS,
    ]
    values = [*plain, *([each] for each in plain), *([[each]] for each in plain)]
    asked = {
        "date": [RelativeFilter(days=each).build_filter(MOMENT) for each in DAYS],
        "amount": [TransactionFilter(min_amount=least, max_amount=most) for least, most in product(BOUNDS, BOUNDS)],
        "cardType": [TransactionFilter(card_type=each) for each in NAMES if each],
        "countryOrigin": [TransactionFilter(country=each) for each in COUNTRIES],
    }
    for field, conditions in asked.items():
        collection.delete_many({})
        collection.insert_many({"_id": number, field: each} for number, each in enumerate(values))
        stored = list(collection.find())
        for wanted in conditions:
            found = find_ids(collection, wanted)
            results = {document["_id"]: match(document, wanted) for document in stored}
            assert {number for number, is_match in results.items() if is_match} <= found, wanted
            assert not {number for number, is_match in results.items() if is_match is False} & found, wanted


@pytest.mark.parametrize("name", ["Visa", "mastercard", "AMEX"])
def test_what_is_usual_needs_no_server(name: str) -> None:
    """Documents of the declared shape are all matched in memory."""
    document = {"date": MOMENT, "amount": 100.0, "cardType": name.upper(), "countryOrigin": "us"}
    wanted = TransactionFilter(MOMENT - DAY_MS, MOMENT, name, "US", Decimal(100), Decimal("100.00"))
    assert match(document, wanted) is True
    assert match({**document, "amount": 99.99}, wanted) is False
