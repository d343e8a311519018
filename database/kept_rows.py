"""The rows of a plan, kept as batches that are decoded again on demand: 5,000 decoded rows take far more memory.

Nothing here reads from the database.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from database.row import Row


class KeptRows:
    """Rows in reading order: the first and the last two stay decoded, the others may have to be decoded again.

    Attributes:
        number: the number of rows.
        first: the first row, if there is one.
    """

    def __init__(self) -> None:
        self.number = 0
        self.first: Row | None = None
        self._tail: deque[Row] = deque(maxlen=2)
        self._batches: deque[Callable[[], list[Row]]] = deque()
        self._rows: list[Row] = []

    def add(self, rows: Sequence[Row], load: Callable[[], list[Row]]) -> None:
        """Keep a batch of at least one row, which `load` returns again."""
        self.first = self.first or rows[0]
        self.number += len(rows)
        self._tail.extend(rows[-2:])
        self._batches.append(load)

    def get_last(self, *, but_one: bool = False) -> Row:
        """Return the last row, or the one before it."""
        return self._tail[-2 if but_one else -1]

    async def load(self) -> list[Row]:
        """Return all rows; yield to the event loop between two batches, so concurrent calls share the work."""
        while self._batches:
            self._rows += self._batches.popleft()()
            if self._batches:
                await asyncio.sleep(0)
        return self._rows
