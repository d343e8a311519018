"""The ends of windows and ranges, to the millisecond and the cent, at a moment set by the test."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from pymongo import AsyncMongoClient
from pymongo.collection import Collection

from database.client import open_client
from database.environment import DatabaseEnvironment
from database.query import Order
from database.repository import TransactionRepository
from schema.context import RequestContext
from schema.filter import parse_filter
from schema.page import build_page
from schema.resolvers import build_list_plan, count_transactions, list_transactions
from schema.schema import build_schema
from tests import strategies
from tests.reference import Document, Question, select

NOW_MS = 1_795_000_000_123
documents = strategies.documents(strategies.edge_offsets, NOW_MS)


async def answer_every_way(repository: TransactionRepository, question: Question) -> dict[str, Any]:
    """Return the ids from a page, a stream and GraphQL, and the counts."""
    order = Order[question.order]
    wanted = parse_filter(
        days=question.days,
        card_type=question.card_type,
        country=question.country,
        min_amount=question.min_amount,
        max_amount=question.max_amount,
    ).build_filter(NOW_MS)
    page = await list_transactions(repository, wanted, order, build_page(order, first=1000))
    async with aclosing(repository.open_batches(build_list_plan(wanted))) as batches:
        streamed = [row["_id"] async for batch in batches for row in batch]
    result = await build_schema().execute(
        "query ($filter: TransactionFilter, $order: TransactionOrder) "
        "{ transactions(filter: $filter, orderBy: $order, first: 1000) { totalCount nodes { id } } }",
        variable_values={
            "filter": question.write_filter(),
            "order": question.order,
        },
        context_value=RequestContext(repository, NOW_MS),
    )
    assert result.errors is None
    assert result.data is not None
    return {
        "page": [row["_id"] for row in await page.load()],
        "stream": streamed,
        "graphql": [node["id"] for node in result.data["transactions"]["nodes"]],
        "counts": {await count_transactions(repository, wanted), result.data["transactions"]["totalCount"]},
    }


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=documents, question=strategies.questions())
def test_both_ends_of_a_window_are_inside_it(
    environment: DatabaseEnvironment,
    collection: Collection[dict[str, Any]],
    found: list[Document],
    question: Question,
) -> None:
    """A document at either end of a window is in it, and one a millisecond beyond is not, in every API style."""
    collection.delete_many({})
    if found:
        collection.insert_many([{**document} for document in found])

    async def ask() -> dict[str, Any]:
        client: AsyncMongoClient[dict[str, Any]] = open_client(environment)
        try:
            return await answer_every_way(
                TransactionRepository(client, environment.database, timeout_ms=10_000), question
            )
        finally:
            await client.close()

    answers = asyncio.run(ask())
    expected = [document["_id"] for document in select(found, question, NOW_MS)]
    newest_first = replace(question, order="DATE_DESC")
    assert answers["page"] == answers["graphql"] == expected
    assert answers["stream"] == [document["_id"] for document in select(found, newest_first, NOW_MS)]
    assert answers["counts"] == {len(expected)}
