"""What to seed: the number of documents, their set and their latest date. A plan describes; seeder.py runs it."""

import secrets
import time
from dataclasses import dataclass

# The unit of generating, loading and resuming: large enough for bulk speed, small enough to lose on a kill.
CHUNK = 1_000

_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class Plan:
    """The first `count` documents of the set that `seed` selects, dated no later than `until` (ms since the epoch)."""

    count: int
    seed: int
    until: int

    @property
    def chunks(self) -> int:
        """The number of chunks."""
        return -(-self.count // CHUNK)

    def size_of(self, chunk: int) -> int:
        """Return the number of documents in a chunk; the last one may have fewer."""
        return min(CHUNK, self.count - chunk * CHUNK)


def new_plan(count: int, seed: int | None = None, until: int | None = None) -> Plan:
    """Return a plan; `seed` defaults to a random one, and `until` to the start of this hour, UTC.

    An hour, so that runs close in time get the same documents while the last day is not empty. A later hour only
    re-dates documents older than 52 weeks (see document.py), and `_id`s depend on the seed alone: a run resumed on
    another day still completes the set without duplicates.
    """
    return Plan(
        count,
        secrets.randbelow(2**32) if seed is None else seed,
        time.time_ns() // 1_000_000 // _HOUR * _HOUR if until is None else until,
    )
