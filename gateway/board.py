"""What the workers tell each other: how many connections each has, in memory that they share."""

from typing import Protocol


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

    def has_fewer_elsewhere(self) -> bool:
        """Whether another worker has fewer than this one."""
        return any(self._numbers[place] < self._numbers[self._place] for place in range(len(self._numbers)))
