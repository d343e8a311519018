"""A cancelled query leaves nothing running in the database."""

import asyncio
import random
from contextlib import aclosing
from typing import Any

from pymongo import MongoClient

from database.client import open_client
from database.environment import DatabaseEnvironment
from database.index import COLLECTION
from database.query import Order, Page, TransactionFilter, build_find_plan
from database.repository import TransactionRepository
from seeding.seeder import seed
from tests.operation import find_operations
from tests.waiting import wait_until

DOCUMENTS = 5_000
TIMES = 150
# Longer than a first batch takes, so that some lists are cancelled before it, some during it and some after it.
MOST_SECONDS = 0.02


async def test_a_list_given_up_at_any_moment_leaves_no_cursor(
    environment: DatabaseEnvironment, reader_environment: DatabaseEnvironment, admin: MongoClient[dict[str, Any]]
) -> None:
    """A list cancelled before, during or after its first batch leaves no open cursor."""
    seed(environment, DOCUMENTS, seed=1)
    namespace = f"{environment.database}.{COLLECTION}"
    plan = build_find_plan(TransactionFilter(), Order.DATE_DESC, Page())
    moments = random.Random(1)  # noqa: S311 - not for cryptography

    async with open_client(reader_environment) as client:
        repository = TransactionRepository(client, environment.database, timeout_ms=10_000)

        async def list_some(seconds: float) -> None:
            try:
                async with asyncio.timeout(seconds), aclosing(repository.open_batches(plan)) as batches:
                    async for _ in batches:
                        pass
            except TimeoutError:
                pass

        for _ in range(TIMES):
            await list_some(moments.uniform(0, MOST_SECONDS))
        wait_until(lambda: not find_operations(admin, namespace), "the cursors to be closed")
