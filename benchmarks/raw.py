"""Measure the lower limit: a list as mongod sends it, in raw batches over loopback, with nothing decoded."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any, cast

import bson
from pymongo.collection import Collection
from pymongo.cursor import RawBatchCursor

from database.client import open_sync_client
from database.environment import DatabaseEnvironment
from database.index import COLLECTION

_DAY_MS = 86_400_000
# None is the server's default: a first batch of 101 documents, then as much as a message holds. The fastest counts,
# separately for the whole list and for its first bytes.
_BATCH_ROWS = (None, 1_000, 2_500, 1_000_000)
_TRIALS = 10


class RawList:
    """The documents of the last `days`, newest first, over one connection of a blocking client."""

    def __init__(self, collection: Collection[dict[str, Any]], days: int) -> None:
        """Find the fastest batch sizes by trial."""
        self._collection = collection
        self._days = days
        taken = {rows: [self._take(rows) for _ in range(_TRIALS)] for rows in _BATCH_ROWS}
        self._rows_of_first = min(taken, key=lambda rows: median(first for first, _ in taken[rows]))
        self._rows_of_whole = min(taken, key=lambda rows: median(whole for _, whole in taken[rows]))

    def measure_first(self, seconds: float) -> float:
        """Fetch the list repeatedly for `seconds` and return the median time to the first batch, in s."""
        return median(first for first, _ in self._repeat(self._rows_of_first, seconds))

    def measure_whole(self, seconds: float) -> float:
        """Fetch the list repeatedly for `seconds` and return the median time to the end, in s."""
        return median(whole for _, whole in self._repeat(self._rows_of_whole, seconds))

    def read(self) -> bytes:
        """Return the documents as a JSON array."""
        batches = b"".join(cast("Iterator[bytes]", self._open(self._rows_of_whole)))
        return json.dumps(bson.decode_all(batches)).encode()

    def _repeat(self, batch_rows: int | None, seconds: float) -> list[tuple[float, float]]:
        taken: list[tuple[float, float]] = []
        began = time.perf_counter()
        while not taken or time.perf_counter() - began < seconds:
            taken.append(self._take(batch_rows))
        return taken

    def _take(self, batch_rows: int | None) -> tuple[float, float]:
        """Return the times to the first batch and to the end, in s."""
        began = time.perf_counter()
        with self._open(batch_rows) as cursor:
            next(cursor, None)
            first = time.perf_counter() - began
            for _ in cursor:
                pass
        return first, time.perf_counter() - began

    def _open(self, batch_rows: int | None) -> RawBatchCursor[dict[str, Any]]:
        now = time.time_ns() // 1_000_000
        window = {"date": {"$gte": now - self._days * _DAY_MS, "$lte": now}}
        cursor = self._collection.find_raw_batches(window, sort=[("date", -1), ("_id", -1)])
        return cursor if batch_rows is None else cursor.batch_size(batch_rows)


@contextmanager
def open_raw_list(environment: DatabaseEnvironment, days: int) -> Iterator[RawList]:
    """Open the list of a database's last `days`."""
    with open_sync_client(environment) as client:
        yield RawList(client[environment.database][COLLECTION], days)
