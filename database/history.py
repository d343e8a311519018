"""A buffer of the most recently added transactions, which spares a reconnecting subscriber a read of the database.

It neither reads the stream nor knows the subscribers.
"""

from collections import deque
from collections.abc import Sequence
from itertools import takewhile

from database.event import Arrival, Place


class History:
    """The most recent arrivals, without gaps.

    Attributes:
        start: every arrival after it is kept.
        end: how far the stream has been read.
    """

    def __init__(self, start: Place, most: int, most_bytes: int) -> None:
        self.start = self.end = start
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._arrivals: deque[Arrival] = deque()

    def extend(self, arrivals: Sequence[Arrival], end: Place) -> None:
        """Add the arrivals up to a place, and drop the oldest that exceed the limits."""
        self._arrivals.extend(arrivals)
        self._bytes += sum(arrival.size for arrival in arrivals)
        self.end = end
        while not self._has_room(0, 0):
            oldest = self._arrivals.popleft()
            self._bytes -= oldest.size
            self.start = oldest.place

    def extend_back(self, start: Place, arrivals: Sequence[Arrival]) -> None:
        """Prepend arrivals read again, which must reach from a place to `self.start` or beyond, if there is room."""
        older = [arrival for arrival in arrivals if arrival.place <= self.start]
        size = sum(arrival.size for arrival in older)
        if start < self.start and self._has_room(len(older), size):
            self._arrivals.extendleft(reversed(older))
            self._bytes += size
            self.start = start

    def _has_room(self, more: int, more_bytes: int) -> bool:
        return len(self._arrivals) + more <= self._most and self._bytes + more_bytes <= self._most_bytes

    def find_after(self, place: Place) -> list[Arrival] | None:
        """Return all arrivals after a place, or None if some may have been dropped."""
        if place < self.start:
            return None
        found = list(takewhile(lambda arrival: arrival.place > place, reversed(self._arrivals)))
        return found[::-1]
