"""What the workers tell each other: how many connections each has, in memory that they share."""

from typing import Protocol

# An eighth of what a worker has.
_SLACK = 8


class Numbers(Protocol):
    """An array that the workers share."""

    def __getitem__(self, place: int, /) -> int: ...
    def __setitem__(self, place: int, number: int, /) -> None: ...
    def __len__(self) -> int: ...


class Board:
    """How many connections each worker has; the one at `place` is told, the others are read."""

    def __init__(self, numbers: Numbers, place: int) -> None:
        self._numbers = numbers
        self._place = place

    def tell(self, number: int) -> None:
        """Tell how many connections this worker has."""
        self._numbers[self._place] = number

    def is_ahead(self) -> bool:
        """Whether this worker has more than another, by more than it may."""
        return (
            self._numbers[self._place]
            > min(self._numbers[place] for place in range(len(self._numbers))) + self.get_slack()
        )

    def get_slack(self) -> int:
        """Give by how many connections it may be ahead: with few each counts, with many an eighth more is even."""
        return self._numbers[self._place] // _SLACK
