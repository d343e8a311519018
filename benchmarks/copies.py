"""Enlarge seeded data with copies that have other ids and dates but the same distribution."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeAlias

from pymongo.collection import Collection

# Documents up to this number are seeded; those beyond it are copies.
MOST_SEEDED = 200_000
_CHUNK = 5_000
_THREADS = 2
_YEAR_MS = 364 * 86_400_000
# Each copy is dated this much before the previous one: not a multiple of an hour, so that the hours fill evenly.
_SHIFT_MS = 7_919_000
_KEPT_DIGITS = 28

_Document: TypeAlias = dict[str, Any]


class Copier:
    """Adds copies of MOST_SEEDED seeded documents; before the first call reads these, nothing else may be stored."""

    def __init__(self, collection: Collection[_Document], until: int) -> None:
        """Copy within the year that ends at `until`, in ms since the epoch, UTC."""
        self._collection = collection
        self.until = until
        self._seeded: list[_Document] = []
        self._copies = 1

    def enlarge(self, size: int, tell: Callable[[int], None]) -> None:
        """Bring the collection to a size, a multiple of MOST_SEEDED; `tell` receives the number of documents so far."""
        self._seeded = self._seeded or list(self._collection.find())
        stored, wanted = self._copies * len(self._seeded), size // MOST_SEEDED
        numbers = range(self._copies, wanted)
        with ThreadPoolExecutor(_THREADS) as pool:
            for chunk in _cut(self._seeded):
                stored += sum(pool.map(self._store, numbers, [chunk] * len(numbers)))
                tell(stored)
        self._copies = wanted

    def _store(self, number: int, documents: list[_Document]) -> int:
        self._collection.insert_many([_copy(each, number, self.until) for each in documents], ordered=False)
        return len(documents)


def _copy(document: _Document, number: int, until: int) -> _Document:
    """Return copy `number` of a document: with another id, as random as its own, and another date of the same year."""
    age = (until - document["date"] + number * _SHIFT_MS) % _YEAR_MS
    return {**document, "_id": f"{document['_id'][:_KEPT_DIGITS]}{number:08x}", "date": until - age}


def _cut(documents: list[_Document]) -> Iterator[list[_Document]]:
    rest = iter(documents)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk
