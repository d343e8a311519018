"""Lists encoded directly are byte for byte what the ordinary executor produces."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from pymongo.collection import Collection

from database import repository as repository_module
from database.client import open_client
from database.environment import DatabaseEnvironment
from database.repository import TransactionRepository
from schema import shape
from schema.context import RequestContext
from schema.encoded import write_json
from schema.failure import describe_failures
from schema.schema import build_schema
from tests import strategies
from tests.reference import Document

SCHEMA = build_schema()
NOW_MS = 1_795_000_000_123
documents = strategies.documents(st.integers(0, 10**12), NOW_MS)


@asynccontextmanager
async def open_repository(environment: DatabaseEnvironment) -> AsyncIterator[TransactionRepository]:
    client = open_client(environment)
    try:
        yield TransactionRepository(client, environment.database, timeout_ms=10_000)
    finally:
        await client.close()


async def answer(repository: TransactionRepository, text: str, *, encodes_rows: bool) -> dict[str, Any]:
    """Return the data as bytes, and the errors with their codes, messages, paths and locations."""
    context = RequestContext(repository, NOW_MS, encodes_rows=encodes_rows)
    result = await SCHEMA.execute(text, variable_values=strategies.SWITCHES, context_value=context)
    failures = [(each.code, each.message, each.error.formatted) for each in describe_failures(result)]
    return {"data": write_json(result.data), "errors": failures}


def get_list(failure: tuple[str, str, Mapping[str, Any]]) -> str:
    """Return which of the operation's lists failed."""
    return str(failure[2]["path"][0])


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    found=strategies.odd_documents(documents),
    text=strategies.operations(),
    batch_rows=st.sampled_from([1, 7, 1_000]),
    values_per_chunk=st.sampled_from([30, 40_000]),
)
def test_encoded_lists_are_those_of_the_ordinary_executor(
    environment: DatabaseEnvironment,
    collection: Collection[dict[str, Any]],
    found: list[Document],
    text: str,
    batch_rows: int,
    values_per_chunk: int,
) -> None:
    """For any selection and any stored documents, the bytes and errors equal the ordinary executor's.

    Lists are read concurrently, so the order of their failures is unspecified. Where null propagates to the whole of
    the data, the response reports one of the failures behind it; which one, and whether others too, is unspecified
    (GraphQL, section 6.4.4).
    """
    collection.delete_many({})
    if found:
        collection.insert_many(found)

    async def answer_both_ways() -> list[dict[str, Any]]:
        async with open_repository(environment) as repository:
            return [await answer(repository, text, encodes_rows=each) for each in (False, True)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repository_module, "BATCH_ROWS", batch_rows)
        patch.setattr(shape, "_VALUES_PER_CHUNK", values_per_chunk)
        ordinary, encoded = asyncio.run(answer_both_ways())
    event("errors" if ordinary["errors"] else "no errors")
    assert encoded["data"] == ordinary["data"]
    if ordinary["data"] == b"null":
        assert {code for code, *_ in encoded["errors"]} == {code for code, *_ in ordinary["errors"]}
    else:
        assert sorted(encoded["errors"], key=get_list) == sorted(ordinary["errors"], key=get_list)


SCHEMA = build_schema()


class CountedLock(asyncio.Lock):
    """A lock that counts its acquisitions."""

    taken = 0

    async def acquire(self) -> Literal[True]:
        self.taken += 1
        return await super().acquire()


async def test_the_groups_of_a_summary_are_executed_some_at_a_time(
    environment: DatabaseEnvironment, collection: Collection[dict[str, Any]]
) -> None:
    """The groups of a summary, each with amounts in perhaps many currencies, are executed ten per chunk."""
    collection.insert_many(
        [{"_id": str(n), "vendor": f"Vendor {n}", "currency": "USD", "amount": 1} for n in range(25)]
    )
    chunk_lock = CountedLock()
    async with open_repository(environment) as repository:
        text = "{ transactionSummary(groupBy: [VENDOR]) { groups { vendor amounts { sum } } } }"
        result = await SCHEMA.execute(text, context_value=RequestContext(repository, NOW_MS, chunk_lock=chunk_lock))
    assert result.data is not None
    assert len(result.data["transactionSummary"]["groups"]) == 25
    assert chunk_lock.taken == 3
