"""The limit: a list as mongod hands it over, in raw batches over loopback, with nothing decoded."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any, cast

import bson
from pymongo.collection import Collection
from pymongo.cursor import RawBatchCursor

from benchmarks.client import Latency
from database.client import open_sync_client
from database.environment import DatabaseEnvironment
from database.index import COLLECTION

_DAY_MS = 86_400_000
# None is the server's own: a first of 101 documents, then as much as a message holds. The best of them counts.
_BATCH_ROWS = (None, 1_000, 2_500, 1_000_000)
_TRIALS = 10


class RawList:
    """The documents of the last so many days, newest first, by one connection of a blocking client."""

    def __init__(self, collection: Collection[dict[str, Any]], days: int) -> None:
        """Try which size of batch is the quickest."""
        self._collection = collection
        self._days = days
        self._batch_rows = min(_BATCH_ROWS, key=lambda rows: median(self._take(rows).whole for _ in range(_TRIALS)))

    def measure(self, seconds: float) -> Latency:
        """Fetch it, again and again, for so long; the time to the first batch is `first`."""
        taken: list[Latency] = []
        began, own = time.perf_counter(), time.thread_time()
        while not taken or time.perf_counter() - began < seconds:
            taken.append(self._take(self._batch_rows))
        used = (time.thread_time() - own) / len(taken)
        return Latency(median(each.whole for each in taken), median(each.first for each in taken), used)

    def read(self) -> bytes:
        """Give the documents as a JSON array."""
        batches = b"".join(cast("Iterator[bytes]", self._open(self._batch_rows)))
        return json.dumps(bson.decode_all(batches)).encode()

    def _take(self, batch_rows: int | None) -> Latency:
        began = time.perf_counter()
        with self._open(batch_rows) as cursor:
            next(cursor, None)
            first = time.perf_counter() - began
            for _ in cursor:
                pass
        return Latency(time.perf_counter() - began, first, 0)

    def _open(self, batch_rows: int | None) -> RawBatchCursor[dict[str, Any]]:
        now = time.time_ns() // 1_000_000
        window = {"date": {"$gte": now - self._days * _DAY_MS, "$lte": now}}
        cursor = self._collection.find_raw_batches(window, sort=[("date", -1), ("_id", -1)])
        return cursor if batch_rows is None else cursor.batch_size(batch_rows)


@contextmanager
def open_raw_list(environment: DatabaseEnvironment, days: int) -> Iterator[RawList]:
    """Give the list of so many days of a database."""
    with open_sync_client(environment) as client:
        yield RawList(client[environment.database][COLLECTION], days)
