"""The number of connections of each worker, in memory that all workers of a gateway share."""

from typing import Protocol

# A worker may be ahead by an eighth of its connections.
_SLACK = 8
# The number of a worker that is stopping and accepts no more connections.
_LEFT = -1


class Numbers(Protocol):
    """An array that the workers share."""

    def __getitem__(self, place: int, /) -> int: ...
    def __setitem__(self, place: int, number: int, /) -> None: ...
    def __len__(self) -> int: ...


class Scoreboard:
    """The numbers of all workers, as used by one of them: it writes its own, at `place`, and reads the others."""

    def __init__(self, numbers: Numbers, place: int) -> None:
        self._numbers = numbers
        self._place = place
        self._has_left = False

    def publish(self, number: int) -> None:
        """Publish how many connections this worker has, unless it has left."""
        if not self._has_left:
            self._numbers[self._place] = number

    def leave(self) -> bool:
        """Mark that this worker accepts no more connections; return whether it was the last that did."""
        self._has_left = True
        self._numbers[self._place] = _LEFT
        return all(number == _LEFT for number in self._list_numbers())

    def is_ahead(self) -> bool:
        """Whether this worker has more connections than another, by more than the slack."""
        least = min(number for number in self._list_numbers() if number != _LEFT)
        return self._numbers[self._place] > least + self.get_slack()

    def get_slack(self) -> int:
        """Return by how many connections this worker may be ahead: an eighth of its own, rounded down."""
        return self._numbers[self._place] // _SLACK

    def _list_numbers(self) -> list[int]:
        return [self._numbers[place] for place in range(len(self._numbers))]
