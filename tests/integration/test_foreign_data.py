"""Documents as other programs store them: served as they are, or refused with a named error, never a failure."""

import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from bson.binary import Binary
from bson.decimal128 import Decimal128
from bson.objectid import ObjectId
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pymongo import ASCENDING, DESCENDING, MongoClient

from database.client import open_client
from database.environment import DatabaseEnvironment
from database.index import COLLECTION
from database.query import TransactionFilter, build_count_plan
from database.repository import TransactionRepository
from schema.context import read_clock_ms
from tests.conftest import ServedDatabase
from tests.live import connect
from tests.reference import NODE


def build_document(**changes: object) -> dict[str, Any]:
    """Return a document dated an hour ago with some fields changed; None removes a field."""
    document = {
        "_id": "a",
        "date": read_clock_ms() - 3_600_000,
        "currency": "USD",
        "amount": 12.5,
        "vendor": "Vendor",
        "address": "1 Main Street\nSpringfield",
        "cardType": "Visa",
        "cardNumber": "4111111111111111",
        "countryOrigin": "US",
    }
    return {key: value for key, value in {**document, **changes}.items() if value is not None}


def ask(client: httpx.Client, query: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.post("/graphql", json={"query": query}).json()
    return answer


def test_numbers_of_a_program_without_whole_ones(served: ServedDatabase, client: httpx.Client) -> None:
    """A date, amount and card number stored as doubles or 32-bit integers are served in the API's types."""
    document = build_document(amount=7, cardNumber=4111111111111111.0)
    served.collection.insert_one({**document, "date": float(document["date"])})
    (row,) = client.get("/transactions/1").json()
    assert (row["amount"], row["cardNumber"]) == (7, "************1111")
    assert isinstance(row["date"], int)
    (node,) = ask(client, f"{{ transactions {{ nodes {{ {NODE} }} }} }}")["data"]["transactions"]["nodes"]
    assert (node["amount"], node["cardNumber"]) == ("7", "************1111")


@pytest.mark.parametrize("date", [2.0**63, -1e300])
def test_a_date_beyond_64_bits_is_a_number(served: ServedDatabase, client: httpx.Client, date: float) -> None:
    """A date stored as an integral double beyond 64 bits reaches live subscribers and has a cursor."""
    with connect(served.gateway.url) as source:
        served.collection.insert_many([build_document(_id="a", date=date), build_document(_id="b", date=date)])
        assert [row["date"] for row in source.take(2)] == [date, date]
    for way in WAYS:
        assert read_pages(client, "DATE_ASC", way, 1) == (["a", "b"], "")


def test_amounts_stored_as_decimals_are_numbers(served: ServedDatabase, client: httpx.Client) -> None:
    """A Decimal128 is found by a range around it and served as a number."""
    served.collection.insert_one(build_document(amount=Decimal128(Decimal("123.45"))))
    (row,) = client.get("/transactions/1/amount/123/124").json()
    assert row["amount"] == 123.45


cents = st.integers(-30, 30).map(lambda number: Decimal(number) / 10)
# The same amounts as doubles and as decimals, the latter in two representations.
stored_amounts = (
    cents.map(float) | cents.map(Decimal128) | cents.map(lambda amount: Decimal128(amount.quantize(Decimal("0.00"))))
)
unusual_amounts = st.sampled_from([Decimal128("0.1000000000000000001"), Decimal128("1E+400"), Decimal128("-1E-400")])
of_a_gateway = settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors]
)


def read_exact(amount: float | Decimal128) -> Decimal:
    return amount.to_decimal() if isinstance(amount, Decimal128) else Decimal(amount)


ORDERED = ("amount", "date")
WAYS = (("first", "after", "endCursor", "hasNextPage"), ("last", "before", "startCursor", "hasPreviousPage"))


def read_pages(client: httpx.Client, order: str, way: tuple[str, str, str, str], rows: int) -> tuple[list[str], str]:
    """Return the ids of all pages of an order, read in one direction, and the code of the error that ended them."""
    count, cursor, end, more = way
    query = (
        f"query ($at: String) {{ transactions(orderBy: {order}, {count}: {rows}, {cursor}: $at) "
        f"{{ nodes {{ id }} pageInfo {{ {end} {more} }} }} }}"
    )
    found: list[str] = []
    at = None
    # Bounded, so that paging that never ends fails.
    for _ in range(100):
        answer = client.post("/graphql", json={"query": query, "variables": {"at": at}}).json()
        if "errors" in answer:
            return found, answer["errors"][0]["extensions"]["code"]
        page = answer["data"]["transactions"]
        ids = [node["id"] for node in page["nodes"]]
        found = found + ids if count == "first" else ids + found
        at = page["pageInfo"][end]
        if not page["pageInfo"][more]:
            break
    return found, ""


@of_a_gateway
@example(amounts=[Decimal128("0.1")] * 4 + [0.1] * 4, rows=3)
@given(amounts=st.lists(stored_amounts | unusual_amounts, max_size=12), rows=st.integers(1, 5))
def test_pages_by_amounts_of_several_kinds_hold_each_row_once(
    served: ServedDatabase, client: httpx.Client, amounts: list[float | Decimal128], rows: int
) -> None:
    """With doubles beside decimals, pages in each order and direction hold each row once, by exact amount."""
    served.collection.delete_many({})
    documents = [build_document(_id=f"{place:02}", amount=amount) for place, amount in enumerate(amounts)]
    if documents:
        served.collection.insert_many(documents)
    rising = [each["_id"] for each in sorted(documents, key=lambda each: (read_exact(each["amount"]), each["_id"]))]
    for order, expected in (("AMOUNT_ASC", rising), ("AMOUNT_DESC", rising[::-1])):
        for way in WAYS:
            assert read_pages(client, order, way, rows) == (expected, "")


some_ids = st.text("ab$.", min_size=1, max_size=2) | st.binary(min_size=12, max_size=12).map(ObjectId)
# Few numbers, so that most rows share one; and values that sort before or after all numbers.
some_values = st.integers(1, 2) | st.sampled_from([None, math.nan, "1", True, datetime(2026, 1, 1, tzinfo=UTC)])


@of_a_gateway
@given(values=st.dictionaries(some_ids, some_values, max_size=12), rows=st.integers(1, 5), key=st.sampled_from(ORDERED))
def test_pages_lose_no_row_of_other_types(
    served: ServedDatabase, client: httpx.Client, values: dict[str | ObjectId, object], rows: int, key: str
) -> None:
    """Pages hold each row once, in the server's order; a page that would end in a non-numeric row is an error."""
    served.collection.delete_many({})
    if values:
        served.collection.insert_many(build_document(_id=name, **{key: value}) for name, value in values.items())
    for direction, name in ((ASCENDING, "ASC"), (DESCENDING, "DESC")):
        expected = [str(each["_id"]) for each in served.collection.find().sort({key: direction, "_id": direction})]
        for way in WAYS:
            found, code = read_pages(client, f"{key.upper()}_{name}", way, rows)
            read = len(found)
            assert found == (expected[:read] if way == WAYS[0] else expected[len(expected) - read :])
            assert code == ("" if read == len(expected) else "MALFORMED_DOCUMENT")


@of_a_gateway
@given(amounts=st.lists(stored_amounts, max_size=12), ends=st.tuples(cents, cents))
def test_a_range_holds_its_ends_in_either_kind(
    served: ServedDatabase, client: httpx.Client, amounts: list[float | Decimal128], ends: tuple[Decimal, Decimal]
) -> None:
    """Both ends of an amount range are inclusive, whether amounts are stored as doubles or as decimals."""
    served.collection.delete_many({})
    documents = [build_document(_id=f"{place:02}", amount=amount) for place, amount in enumerate(amounts)]
    if documents:
        served.collection.insert_many(documents)
    least, most = sorted(ends)

    def read_meant(amount: float | Decimal128) -> Decimal:
        return amount.to_decimal() if isinstance(amount, Decimal128) else Decimal(repr(amount))

    expected = {each["_id"] for each in documents if least <= read_meant(each["amount"]) <= most}
    assert {row["_id"] for row in client.get(f"/transactions/1/amount/{least}/{most}").json()} == expected
    answer = client.get("/transactions/1/summary", params={"minAmount": str(least), "maxAmount": str(most)}).json()
    assert answer["groups"][0]["count"] == len(expected)


@pytest.mark.parametrize("amount", [math.nan, Decimal128("NaN"), Decimal128("sNaN")], ids=str)
def test_an_amount_that_is_no_number_is_served(
    served: ServedDatabase, client: httpx.Client, amount: float | Decimal128
) -> None:
    """A NaN, quiet or signalling, which JSON cannot represent, is null in REST and text in GraphQL."""
    served.collection.insert_one(build_document(amount=amount))
    (row,) = client.get("/transactions/1").json()
    assert row["amount"] is None
    (node,) = ask(client, "{ transactions { nodes { amount } } }")["data"]["transactions"]["nodes"]
    assert node == {"amount": "NaN"}


def test_object_ids_are_found_again_and_paged(served: ServedDatabase, client: httpx.Client) -> None:
    """An ObjectId is written as its digits, found by them, and usable as a cursor."""
    ids = [ObjectId(), ObjectId(), ObjectId()]
    served.collection.insert_many([build_document(_id=each, date=1_000) for each in ids])
    first = ask(client, "{ transactions(first: 2) { nodes { id } pageInfo { endCursor } } }")["data"]["transactions"]
    after = first["pageInfo"]["endCursor"]
    rest = ask(client, f'{{ transactions(first: 2, after: "{after}") {{ nodes {{ id }} }} }}')["data"]["transactions"]
    found = [node["id"] for node in first["nodes"] + rest["nodes"]]
    assert found == [str(each) for each in reversed(ids)]
    assert ask(client, f'{{ transaction(id: "{ids[0]}") {{ id }} }}') == {"data": {"transaction": {"id": str(ids[0])}}}


def test_a_missing_vendor_or_address_is_null(served: ServedDatabase, client: httpx.Client) -> None:
    """A missing vendor or address is null in GraphQL and an absent key in REST."""
    served.collection.insert_one(build_document(vendor=None, address=None))
    (node,) = ask(client, f"{{ transactions {{ nodes {{ {NODE} }} }} }}")["data"]["transactions"]["nodes"]
    assert (node["vendor"], node["address"]) == (None, None)
    assert "vendor" not in client.get("/transactions/1").json()[0]


async def test_a_clustered_collection_is_counted(
    reader_environment: DatabaseEnvironment, admin: MongoClient[dict[str, Any]]
) -> None:
    """A clustered collection is counted, whatever the name of its clustered index."""
    database = admin[reader_environment.database]
    database.drop_collection(COLLECTION)
    database.create_collection(COLLECTION, clusteredIndex={"key": {"_id": 1}, "unique": True, "name": "by_id"})
    database[COLLECTION].insert_one(build_document())
    async with open_client(reader_environment) as client:
        repository = TransactionRepository(client, reader_environment.database, timeout_ms=10_000)
        assert await repository.count(build_count_plan(TransactionFilter())) == 1


def test_fields_that_the_api_does_not_know_stay_in_the_database(served: ServedDatabase, client: httpx.Client) -> None:
    """Only the declared fields leave the gateway."""
    served.collection.insert_one(build_document(cvv="123", _class="x"))
    assert client.get("/transactions/1").json()[0].keys() == build_document().keys()


@pytest.mark.parametrize(
    ("changes", "query"),
    [
        ({"currency": None}, "{ transactions { nodes { currency } } }"),
        ({"date": datetime(2026, 1, 1, tzinfo=UTC)}, "{ transactions { nodes { date } } }"),
        ({"date": True}, "{ transactions { nodes { date } } }"),
        ({"amount": True}, "{ transactions { nodes { amount } } }"),
        ({"amount": "twelve"}, "{ transactions { nodes { amount } } }"),
        ({"amount": datetime(2026, 1, 1, tzinfo=UTC)}, "{ transactions { nodes { amount } } }"),
        ({"amount": ObjectId("0" * 24)}, "{ transactions { nodes { amount } } }"),
        ({"vendor": []}, "{ transactions { nodes { vendor } } }"),
        ({"cardType": {"name": "Visa"}}, "{ transactions { nodes { cardType } } }"),
        ({"cardType": b"Visa"}, "{ transactions { nodes { cardType } } }"),
        ({"vendor": Binary(b"Vendor", 128)}, "{ transactions { nodes { vendor } } }"),
        ({"vendor": math.nan}, "{ transactions { nodes { vendor } } }"),
        ({"_id": 1.5}, "{ transactions { nodes { id } } }"),
        ({"_id": True}, "{ transactions { nodes { id } } }"),
        ({"date": 10**17}, "{ transactions { nodes { date } } }"),
        ({"amount": None}, "{ transactions(orderBy: AMOUNT_ASC) { pageInfo { endCursor } } }"),
        ({"amount": math.nan}, "{ transactions(orderBy: AMOUNT_ASC) { edges { cursor } } }"),
        ({"_id": "x" * 3_000}, "{ transactions { edges { cursor } } }"),
        ({"_id": 5}, "{ transactions { edges { cursor } } }"),
    ],
    ids=str,
)
def test_a_document_that_cannot_be_answered_with_is_named(
    served: ServedDatabase, client: httpx.Client, changes: dict[str, object], query: str
) -> None:
    """A value that cannot be served is an error with its own code, not a failure of the gateway."""
    served.collection.insert_one(build_document(**changes))
    (error,) = ask(client, query)["errors"]
    assert error["extensions"]["code"] == "MALFORMED_DOCUMENT"
    assert "transaction" in error["message"]


def test_a_page_of_rest_that_no_cursor_leads_on_from_is_named(served: ServedDatabase, client: httpx.Client) -> None:
    """A page whose last row allows no cursor is a documented problem; the unlimited list still has its rows."""
    served.collection.insert_many([build_document(_id="x" * 3_000), build_document(_id="y" * 3_000)])
    answer = client.get("/transactions/1?limit=1")
    assert (answer.status_code, answer.json()["code"]) == (502, "MALFORMED_DOCUMENT")
    assert "502" in client.get("/openapi.json").json()["paths"]["/transactions/{days}"]["get"]["responses"]
    assert len(client.get("/transactions/1").json()) == 2


def test_a_page_after_the_last_row_knows_whether_rows_come_before(served: ServedDatabase, client: httpx.Client) -> None:
    """An empty page after a cursor reports rows before it only while there are some."""
    served.collection.insert_one(build_document())
    cursor = ask(client, "{ transactions { pageInfo { endCursor } } }")["data"]["transactions"]["pageInfo"]["endCursor"]
    query = f'{{ transactions(after: "{cursor}") {{ nodes {{ id }} pageInfo {{ hasPreviousPage hasNextPage }} }} }}'
    for has_previous in (True, False):
        page = ask(client, query)["data"]["transactions"]
        assert page == {"nodes": [], "pageInfo": {"hasPreviousPage": has_previous, "hasNextPage": False}}
        served.collection.delete_many({})


@pytest.mark.parametrize("key", ORDERED)
@pytest.mark.parametrize(("order", "way"), [("DESC", WAYS[0]), ("ASC", WAYS[1])])
def test_a_page_of_a_row_without_a_place_knows_that_others_lie_beside_it(
    served: ServedDatabase, client: httpx.Client, key: str, order: str, way: tuple[str, str, str, str]
) -> None:
    """A page of a row without date or amount, reached from one that has them, reports rows on that side."""
    served.collection.insert_many([build_document(_id="a"), build_document(_id="b", **{key: None})])
    count, cursor, end, more = way
    page = f"orderBy: {key.upper()}_{order}, {count}: 1"
    at = ask(client, f"{{ transactions({page}) {{ pageInfo {{ {end} }} }} }}")["data"]["transactions"]["pageInfo"][end]
    query = (
        f'{{ transactions({page}, {cursor}: "{at}") {{ nodes {{ id }} pageInfo {{ hasPreviousPage hasNextPage }} }} }}'
    )
    known = {"hasPreviousPage": True, "hasNextPage": True, more: False}
    assert ask(client, query)["data"]["transactions"] == {"nodes": [{"id": "b"}], "pageInfo": known}
