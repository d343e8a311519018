"""Pure: how many transactions are due at a given time."""

from dataclasses import dataclass

# The length of a cycle, and of the burst at its end: a live view begins calm.
CYCLE_SECONDS, BURST_SECONDS = 30, 3


@dataclass(frozen=True, slots=True)
class Pace:
    """`rate` transactions per second, and `burst` times as many in a burst."""

    rate: float
    burst: float

    def count_due(self, seconds: float) -> float:
        """Return how many transactions are due the given number of seconds after the start."""
        cycles, rest = divmod(seconds, CYCLE_SECONDS)
        in_bursts = cycles * BURST_SECONDS + max(0.0, rest - (CYCLE_SECONDS - BURST_SECONDS))
        return self.rate * (seconds + (self.burst - 1) * in_bursts)
