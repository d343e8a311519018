"""Series of figures, taken in turns, and the comparison of two of them. It measures nothing itself."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum


class Unit(Enum):
    """The unit of a figure; of times, less is better."""

    RATE = "requests/s"
    TIME = "ms"


@dataclass(frozen=True, slots=True)
class Bound:
    """The target of a comparison: the factor by which ours must at least be better, or may at most be worse."""

    factor: float
    is_worse: bool = False

    def __str__(self) -> str:
        return f"{'≤' if self.is_worse else '≥'} {self.factor:g}"


@dataclass(frozen=True, slots=True)
class Series:
    """One program's figures, one per round."""

    name: str
    values: Sequence[float]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def lowest(self) -> float:
        return min(self.values)

    @property
    def highest(self) -> float:
        return max(self.values)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Our series and another program's, of the same work and taken in the same rounds."""

    work: str
    unit: Unit
    ours: Series
    theirs: Series
    bound: Bound | None = None

    @property
    def ratio(self) -> float:
        """The factor by which our median is better, or worse if the bound says how much worse it may be."""
        better = self.ours.median / self.theirs.median
        better = better if self.unit is Unit.RATE else 1 / better
        return 1 / better if self.bound and self.bound.is_worse else better

    @property
    def holds(self) -> bool | None:
        """Whether the ratio is within the bound; None without one."""
        if self.bound is None:
            return None
        return self.ratio <= self.bound.factor if self.bound.is_worse else self.ratio >= self.bound.factor


def measure_in_turns(measures: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, Series]:
    """Take each figure once per round, every other round in reverse, so that drift of the machine affects all alike."""
    values: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(rounds):
        for name in list(measures)[:: -1 if number % 2 else 1]:
            values[name].append(measures[name]())
    return {name: Series(name, taken) for name, taken in values.items()}
