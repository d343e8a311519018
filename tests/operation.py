"""What a server works on, and keeps cursors for, of a collection: that of a question ends with it."""

from typing import Any

from pymongo import MongoClient


def find_operations(admin: MongoClient[dict[str, Any]], namespace: str) -> list[dict[str, Any]]:
    """Give the queries and the open cursors of a collection."""
    asked: list[dict[str, Any]] = [
        {"$currentOp": {"allUsers": True, "idleCursors": True}},
        {"$match": {"ns": namespace}},
    ]
    return list(admin["admin"].aggregate(asked))


def find_cursors(admin: MongoClient[dict[str, Any]], namespace: str) -> list[int]:
    """Give the open cursors of a collection, but those of change streams: that behind the counts stays."""
    cursors = [each["cursor"] for each in find_operations(admin, namespace) if "cursor" in each]
    return [cursor["cursorId"] for cursor in cursors if not cursor["tailable"]]
