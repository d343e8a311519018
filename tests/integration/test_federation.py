"""The gateway as an Apollo Federation subgraph: a router's requests, sent directly and through a real router."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from bson.objectid import ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo import AsyncMongoClient
from pymongo.collection import Collection

from database.environment import DatabaseEnvironment
from database.repository import BATCH_ROWS, TransactionRepository
from database.row import mask_card_number
from schema.budget import RowBudget
from schema.context import RequestContext, read_clock_ms
from schema.encoded import write_json
from schema.execution import RowExecutor
from schema.failure import describe_failures
from schema.schema import build_schema
from tests import strategies
from tests.conftest import ServedDatabase
from tests.node import install_packages
from tests.recorder import CommandRecorder
from tests.reference import Document, Question, select

ROUTER = Path(__file__).parents[1] / "federation"
SCHEMA = build_schema()
NOW_MS = read_clock_ms()
documents = strategies.documents(strategies.inner_offsets, NOW_MS)
of_a_database = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
with_a_router = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))

ENTITIES = """
query ($representations: [_Any!]!) {
  _entities(representations: $representations) {
    __typename
    ... on Transaction { id vendor amount cardNumber kind: __typename }
  }
}
"""
# Invalid representations, each with part of its error message.
WRONG: list[tuple[object, str]] = [
    ({"__typename": "Transaction"}, "has no id that is a text"),
    ({"__typename": "Transaction", "id": None}, "has no id that is a text"),
    ({"__typename": "Transaction", "id": True}, "has no id that is a text"),
    ({"__typename": "Transaction", "id": {"$ne": ""}}, "has no id that is a text"),
    ({"__typename": "User", "id": "1"}, "is of the type 'User'"),
    ({"__typename": 7, "id": "1"}, "has no __typename"),
    ({"id": "1"}, "has no __typename"),
    ("Transaction", "is not an object"),
    ([], "is not an object"),
]


@asynccontextmanager
async def open_recorded(
    environment: DatabaseEnvironment,
) -> AsyncIterator[tuple[TransactionRepository, CommandRecorder]]:
    recorder = CommandRecorder()
    async with AsyncMongoClient[dict[str, Any]](environment.connection_uri, event_listeners=[recorder]) as client:
        yield TransactionRepository(client, environment.database, timeout_ms=10_000), recorder


async def ask(context: RequestContext, representations: list[Any], text: str = ENTITIES) -> dict[str, Any]:
    result = await SCHEMA.execute(text, variable_values={"representations": representations}, context_value=context)
    failures = [(each.code, each.message, each.error.path) for each in describe_failures(result)]
    # Encoded rows come as fragments of JSON.
    return {"data": orjson.loads(write_json(result.data)), "errors": failures}


def represent(row_id: object) -> dict[str, object]:
    return {"__typename": "Transaction", "id": row_id}


def expect(document: Document) -> dict[str, Any]:
    return {
        "__typename": "Transaction",
        "id": document["_id"],
        "vendor": document["vendor"],
        "amount": repr(document["amount"]),
        "cardNumber": mask_card_number(document["cardNumber"]),
        "kind": "Transaction",
    }


@of_a_database
@given(found=documents, data=st.data(), encodes_rows=st.booleans())
def test_each_representation_is_judged_by_itself_and_the_database_is_asked_once(
    environment: DatabaseEnvironment,
    collection: Collection[dict[str, Any]],
    found: list[Document],
    data: st.DataObject,
    *,
    encodes_rows: bool,
) -> None:
    """Known ids yield rows, unknown ones null, invalid ones their own error, in order, with at most one query."""
    collection.delete_many({})
    if found:
        collection.insert_many(found)
    known = {document["_id"]: document for document in found}
    ids = st.sampled_from([*known, "unknown", "", 7]).map(lambda row_id: (represent(row_id), ""))
    asked = data.draw(st.lists(ids | st.sampled_from(WRONG), max_size=30))

    async def answer() -> dict[str, Any]:
        async with open_recorded(environment) as (repository, recorder):
            seen = await ask(
                RequestContext(repository, encodes_rows=encodes_rows), [representation for representation, _ in asked]
            )
            assert [name for name in recorder.names if name != "hello"] == ["find"] * any(not each for _, each in asked)
            return seen

    seen = asyncio.run(answer())
    rows = [known.get(each["id"]) if not fault else None for each, fault in asked]  # type: ignore[index]  # without a fault it is a representation
    assert seen["data"] == {"_entities": [expect(row) if row else None for row in rows]}
    faults = [(number, fault) for number, (_, fault) in enumerate(asked) if fault]
    assert [(code, path) for code, _, path in seen["errors"]] == [
        ("INVALID_REPRESENTATION", ["_entities", number]) for number, _ in faults
    ]
    for (_, message, _), (number, fault) in zip(seen["errors"], faults, strict=True):
        assert message.startswith(f"representations[{number}] {fault}")


async def test_rows_of_entities_are_encoded_whole(
    environment: DatabaseEnvironment, collection: Collection[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """More entities than a batch holds, one of them missing, never take the executor's field-by-field path."""
    ids = [f"{number:05}" for number in range(BATCH_ROWS + 1)]
    collection.insert_many({"_id": row_id, "vendor": row_id} for row_id in ids)
    representations = [represent(row_id) for row_id in [*reversed(ids), "unknown", ids[0]]]

    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(RowExecutor, "complete_object_value", refuse)
    async with open_recorded(environment) as (repository, recorder):
        text = ENTITIES.replace("amount cardNumber", "")
        seen = await ask(RequestContext(repository, encodes_rows=True), representations, text)
        # One cursor, read in batches like a list's.
        assert recorder.names == ["find", "getMore"]
    assert seen["errors"] == []
    rows = seen["data"]["_entities"]
    assert [row and row["id"] for row in rows] == [*reversed(ids), None, ids[0]]


@pytest.mark.parametrize("encodes_rows", [True, False])
@pytest.mark.parametrize("selection", ["__typename", "kind: __typename", "__typename ... on Transaction { id }"])
async def test_a_wrong_representation_is_told_whatever_is_selected(
    environment: DatabaseEnvironment, selection: str, *, encodes_rows: bool
) -> None:
    """An invalid representation is an error at its index, even if no field of an entity is selected."""
    text = f"query ($representations: [_Any!]!) {{ _entities(representations: $representations) {{ {selection} }} }}"
    async with open_recorded(environment) as (repository, _):
        context = RequestContext(repository, encodes_rows=encodes_rows)
        seen = await ask(context, [representation for representation, _ in WRONG], text)
    assert seen["data"] == {"_entities": [None] * len(WRONG)}
    assert [(code, path) for code, _, path in seen["errors"]] == [
        ("INVALID_REPRESENTATION", ["_entities", number]) for number in range(len(WRONG))
    ]


async def test_many_wrong_representations_are_one_error(environment: DatabaseEnvironment) -> None:
    """A hundred invalid representations each get an error; beyond that, the first fails the field without a query."""
    async with open_recorded(environment) as (repository, recorder):
        told = await ask(RequestContext(repository), [{}] * 100)
        assert (told["data"], len(told["errors"])) == ({"_entities": [None] * 100}, 100)
        recorder.commands.clear()
        refused = await ask(RequestContext(repository), [represent("1"), *[{}] * 101])
        [(code, message, path)] = refused["errors"]
        assert (refused["data"], code, path) == (None, "INVALID_REPRESENTATION", ["_entities"])
        assert message.startswith("representations[1] has no __typename")
        assert recorder.commands == []


async def test_an_object_id_is_found_by_its_digits_in_either_case(
    environment: DatabaseEnvironment, collection: Collection[dict[str, Any]]
) -> None:
    """An ObjectId is found by its digits in either case, as by `transaction(id:)`, once for each representation."""
    key = ObjectId("abcdefabcdefabcdefabcdef")
    collection.insert_one({"_id": key})
    async with open_recorded(environment) as (repository, _):
        text = (
            "query ($representations: [_Any!]!) { _entities(representations: $representations) { ... { __typename } } }"
        )
        given_ids = [str(key), str(key).upper(), str(key)[:-1]]
        seen = await ask(RequestContext(repository), [represent(row_id) for row_id in given_ids], text)
    entity = {"__typename": "Transaction"}
    assert seen == {"data": {"_entities": [entity, entity, None]}, "errors": []}


async def test_entities_count_against_the_rows_of_the_operation(environment: DatabaseEnvironment) -> None:
    """As many representations as the row limit are served; with one more, in any field, no query is sent."""
    text = """
    query ($representations: [_Any!]!) {
      a: _entities(representations: $representations) { __typename }
      b: _entities(representations: $representations) { __typename }
    }
    """
    async with open_recorded(environment) as (repository, recorder):
        enough = await ask(RequestContext(repository, budget=RowBudget(6)), [represent("1")] * 3, text)
        assert enough == {"data": {"a": [None] * 3, "b": [None] * 3}, "errors": []}
        recorder.commands.clear()
        too_many = await ask(RequestContext(repository, budget=RowBudget(5)), [represent("1")] * 3, text)
        assert {code for code, _, _ in too_many["errors"]} == {"TOO_MANY_ROWS"}
        assert recorder.commands == []


def test_the_service_gives_the_schema_that_is_checked_in(served: ServedDatabase) -> None:
    """`_service { sdl }` is schema/schema.graphql, byte for byte."""
    answer = httpx.post(f"{served.gateway.url}/graphql", json={"query": "{ _service { sdl } }"}).json()
    assert answer == {"data": {"_service": {"sdl": Path("schema/schema.graphql").read_text()}}}


@pytest.fixture(scope="module")
def router(served: ServedDatabase) -> Iterator[httpx.Client]:
    """A router over the served gateway and a subgraph of notes; both composers have accepted the gateway's schema."""
    folder = install_packages(ROUTER)
    with subprocess.Popen(
        [folder.node, "router.mjs", f"{served.gateway.url}/graphql"],
        cwd=folder.path,
        env=folder.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        try:
            url = process.stdout.readline().strip()
            assert url, process.stderr.read()
            with httpx.Client(base_url=url, timeout=30) as client:
                yield client
        finally:
            process.stdin.close()


@with_a_router
@given(found=documents)
def test_a_router_joins_entities_with_another_subgraph(
    served: ServedDatabase, router: httpx.Client, found: list[Document]
) -> None:
    """Rows for ids named by another subgraph come through a router as in the reference."""
    served.fill(found)
    query = "query ($ids: [ID!]!) { noted(ids: $ids) { id note vendor amount cardNumber } }"
    ids = [document["_id"] for document in found]
    answer = router.post("", json={"query": query, "variables": {"ids": ids}}).json()
    joined = [
        {
            "id": document["_id"],
            "note": f"about {document['_id']}",
            "vendor": document["vendor"],
            "amount": repr(document["amount"]),
            "cardNumber": mask_card_number(document["cardNumber"]),
        }
        for document in found
    ]
    assert answer == {"data": {"noted": joined}}


@with_a_router
@given(found=documents)
def test_a_router_adds_to_lists_of_the_gateway(
    served: ServedDatabase, router: httpx.Client, found: list[Document]
) -> None:
    """A list of the gateway comes through a router in order, with another subgraph's field on each row."""
    served.fill(found)
    answer = router.post("", json={"query": "{ transactions { totalCount nodes { id note } } }"}).json()
    expected = [document["_id"] for document in select(found, Question(), NOW_MS)]
    nodes = [{"id": row_id, "note": f"about {row_id}"} for row_id in expected]
    assert answer == {"data": {"transactions": {"totalCount": len(found), "nodes": nodes}}}
