"""A server's running operations and open cursors on a collection: those of a query end with the query."""

from typing import Any

from pymongo import MongoClient


def find_operations(admin: MongoClient[dict[str, Any]], namespace: str) -> list[dict[str, Any]]:
    """Return the operations and the open cursors on a collection."""
    asked: list[dict[str, Any]] = [
        {"$currentOp": {"allUsers": True, "idleCursors": True}},
        {"$match": {"ns": namespace}},
    ]
    return list(admin["admin"].aggregate(asked))


def find_cursors(admin: MongoClient[dict[str, Any]], namespace: str) -> list[int]:
    """Return the ids of a collection's open cursors, except tailable ones: the rollup's change stream stays open."""
    cursors = [each["cursor"] for each in find_operations(admin, namespace) if "cursor" in each]
    return [cursor["cursorId"] for cursor in cursors if not cursor["tailable"]]
