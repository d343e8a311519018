"""Helpers for tests of the embedded server: insert an id, read the ids, hash its data files."""

import hashlib
from pathlib import Path

from database.client import open_sync_client
from database.environment import DatabaseEnvironment
from database.index import COLLECTION


def takes_writes(environment: DatabaseEnvironment) -> bool:
    """Report whether a server has been elected primary; it accepts connections shortly before that."""
    with open_sync_client(environment) as client:
        return bool(client.admin.command("hello")["isWritablePrimary"])


def insert_id(environment: DatabaseEnvironment, identifier: str) -> None:
    with open_sync_client(environment) as client:
        client[environment.database][COLLECTION].insert_one({"_id": identifier})


def read_ids(environment: DatabaseEnvironment) -> list[str]:
    with open_sync_client(environment) as client:
        return [document["_id"] for document in client[environment.database][COLLECTION].find().sort("_id")]


def hash_data(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (folder / "data").rglob("*")
        if path.is_file() and path.name not in {"mongod.lock", "WiredTiger.lock"}
    }
