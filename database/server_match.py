"""Ask the server whether a document matches a filter; the document need not be stored."""

from collections.abc import Mapping
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from database.index import COLLECTION
from database.monitor import UPKEEP
from database.query import TransactionFilter, build_count_plan
from database.timeout import ANSWER_SECONDS, answered_within

# Stages that yield exactly one document, whatever the collection holds. `$documents` needs a privilege beyond `find`.
_ONE_EMPTY: tuple[dict[str, Any], ...] = ({"$match": {"_id": {"$in": []}}}, {"$facet": {"nothing": [{"$limit": 1}]}})


async def match_on_server(
    database: AsyncDatabase[dict[str, Any]], document: Mapping[str, Any], wanted: TransactionFilter
) -> bool:
    """Return whether a query with the filter's conditions and collation would find the document.

    Raises:
        PyMongoError: the server does not answer.
    """
    plan = build_count_plan(wanted)
    command = {
        "aggregate": COLLECTION,
        "pipeline": [*_ONE_EMPTY, {"$replaceWith": {"$literal": document}}, {"$match": plan.filter}],
        "cursor": {},
        **({"collation": plan.collation} if plan.collation else {}),
    }
    async with answered_within(ANSWER_SECONDS):
        reply = await database.command(command, comment=UPKEEP)
    return bool(reply["cursor"]["firstBatch"])
