"""Pure: how many transactions are due by when."""

from dataclasses import dataclass

# Every so often, and for how long, there is a burst; it ends the cycle, so that a view is calm at first.
CYCLE_SECONDS, BURST_SECONDS = 30, 3


@dataclass(frozen=True, slots=True)
class Pace:
    """`rate` transactions a second, and in a burst `burst` times as many."""

    rate: float
    burst: float

    def count_due(self, seconds: float) -> float:
        """Give how many are due so many seconds after the start."""
        cycles, rest = divmod(seconds, CYCLE_SECONDS)
        in_bursts = cycles * BURST_SECONDS + max(0.0, rest - (CYCLE_SECONDS - BURST_SECONDS))
        return self.rate * (seconds + (self.burst - 1) * in_bursts)
