"""What the workers tell each other: how many connections each has, in memory that they share."""

from typing import Protocol

# An eighth of what a worker has.
_SLACK = 8
# Of a worker that takes no more connections, for it stops.
_LEFT = -1


class Numbers(Protocol):
    """An array that the workers share."""

    def __getitem__(self, place: int, /) -> int: ...
    def __setitem__(self, place: int, number: int, /) -> None: ...
    def __len__(self) -> int: ...


class Scoreboard:
    """How many connections each worker has; the one at `place` is told, the others are read."""

    def __init__(self, numbers: Numbers, place: int) -> None:
        self._numbers = numbers
        self._place = place
        self._has_left = False

    def tell(self, number: int) -> None:
        """Tell how many connections this worker has, unless it has left."""
        if not self._has_left:
            self._numbers[self._place] = number

    def leave(self) -> bool:
        """Tell that this worker takes no more connections, and say whether no other does: so says at least the last."""
        self._has_left = True
        self._numbers[self._place] = _LEFT
        return all(number == _LEFT for number in self._list_numbers())

    def is_ahead(self) -> bool:
        """Whether this worker has more than another, by more than it may."""
        least = min(number for number in self._list_numbers() if number != _LEFT)
        return self._numbers[self._place] > least + self.get_slack()

    def get_slack(self) -> int:
        """Give by how many connections it may be ahead: with few each counts, with many an eighth more is even."""
        return self._numbers[self._place] // _SLACK

    def _list_numbers(self) -> list[int]:
        return [self._numbers[place] for place in range(len(self._numbers))]
