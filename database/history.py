"""The last transactions that were added: a subscriber that was away for a moment need not ask the database for them.

It neither reads the stream nor knows the subscribers.
"""

from collections import deque
from collections.abc import Sequence
from itertools import takewhile

from database.event import Arrival, Place


class History:
    """The last arrivals, without a gap.

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
        """Add what has been read up to a place, and forget the oldest."""
        self._arrivals.extend(arrivals)
        self._bytes += sum(arrival.size for arrival in arrivals)
        self.end = end
        while not self._has_room(0, 0):
            oldest = self._arrivals.popleft()
            self._bytes -= oldest.size
            self.start = oldest.place

    def extend_back(self, start: Place, arrivals: Sequence[Arrival]) -> None:
        """Add what somebody has read again, from a place up to the start at least, if there is room for it."""
        older = [arrival for arrival in arrivals if arrival.place <= self.start]
        size = sum(arrival.size for arrival in older)
        if start < self.start and self._has_room(len(older), size):
            self._arrivals.extendleft(reversed(older))
            self._bytes += size
            self.start = start

    def _has_room(self, more: int, more_bytes: int) -> bool:
        return len(self._arrivals) + more <= self._most and self._bytes + more_bytes <= self._most_bytes

    def find_after(self, place: Place) -> list[Arrival] | None:
        """Give all arrivals after a place, or None where some may be forgotten."""
        if place < self.start:
            return None
        found = list(takewhile(lambda arrival: arrival.place > place, reversed(self._arrivals)))
        return found[::-1]
