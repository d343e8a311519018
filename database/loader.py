"""Load documents in bulk. A load can be interrupted and repeated: documents whose `_id` is stored stay unchanged.

It does not know what a document means, and every write is acknowledged.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from pymongo import MongoClient
from pymongo.errors import BulkWriteError, OperationFailure

from database.client import open_sync_client, translated_errors
from database.environment import DatabaseEnvironment
from database.errors import DatabaseRefusedError
from database.index import COLLECTION
from database.translation import AWAY_CODES

Document: TypeAlias = dict[str, Any]

_DUPLICATE_KEY = 11000
_CLEARED_AT_ONCE = 5_000


class Loader:
    """Bulk writes to the collection in one database.

    Every method raises `DatabaseUnavailableError`, `DatabaseTimeoutError` or `DatabaseRefusedError` when the server
    is away, too slow, or refuses.
    """

    def __init__(self, client: MongoClient[Document], database: str) -> None:
        """Use an open client."""
        self._database = client[database]
        self._collection = self._database[COLLECTION]

    def load(self, documents: Sequence[Document]) -> int:
        """Store the documents whose `_id` is new, and return their number."""
        with translated_errors():
            try:
                self._collection.insert_many(documents, ordered=False)
            except BulkWriteError as error:
                faults = [*error.details["writeErrors"], *error.details["writeConcernErrors"]]
                if serious := [fault for fault in faults if fault["code"] != _DUPLICATE_KEY]:
                    if serious[0]["code"] in AWAY_CODES:
                        # A server that stops or steps down during a bulk write may report that for each document.
                        raise OperationFailure(serious[0]["errmsg"], serious[0]["code"]) from error
                    raise DatabaseRefusedError(
                        f"The database did not store a document: {serious[0]['errmsg']}."
                    ) from error
                return int(error.details["nInserted"])
        return len(documents)

    def find_stored(self, identifiers: Sequence[str]) -> set[str]:
        """Return those ids that exist in the collection."""
        with translated_errors():
            found = self._collection.find({"_id": {"$in": list(identifiers)}}, {"_id": 1})
            return {document["_id"] for document in found}

    def holds(self, identifier: str) -> bool:
        """Return whether a document has this id."""
        return bool(self.find_stored([identifier]))

    def count(self) -> int:
        """Count the documents by scanning: the collection's own statistics may report 0 after a crash."""
        with translated_errors():
            return self._collection.count_documents({})

    def clear(self) -> Iterator[int]:
        """Delete all documents, yielding the number deleted so far after each step; keep the collection and indexes."""
        gone = 0
        while True:
            with translated_errors():
                batch = [document["_id"] for document in self._collection.find({}, {"_id": 1}, limit=_CLEARED_AT_ONCE)]
                if not batch:
                    return
                gone += self._collection.delete_many({"_id": {"$in": batch}}).deleted_count
            yield gone

    def find_free_bytes(self) -> int | None:
        """Return the free bytes of the disk of the server's data, or None if the server does not report them."""
        try:
            with translated_errors():
                stats = self._database.command("dbStats")
        except DatabaseRefusedError:
            return None
        if "fsTotalSize" not in stats:
            return None
        return int(stats["fsTotalSize"] - stats["fsUsedSize"])


@contextmanager
def open_loader(environment: DatabaseEnvironment) -> Iterator[Loader]:
    """Open a loader for the duration of the `with` block; if no server answers, its first call raises that.

    Raises:
        DatabaseError: the server's address cannot be used.
    """
    with open_sync_client(environment) as client:
        yield Loader(client, environment.database)
