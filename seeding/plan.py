"""What is to be seeded: how many documents of which set, with dates until when. It describes; seeder.py does."""

import secrets
import time
from dataclasses import dataclass

# The unit of work, of loading and of resuming: large enough for bulk speed, small enough to lose on a kill.
CHUNK = 1_000

_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class Plan:
    """The first `count` documents of the set that `seed` chooses, the latest dated `until` (ms since the epoch)."""

    count: int
    seed: int
    until: int

    @property
    def chunks(self) -> int:
        """How many chunks the documents make."""
        return -(-self.count // CHUNK)

    def size_of(self, chunk: int) -> int:
        """Give how many documents a chunk has: the last may have fewer."""
        return min(CHUNK, self.count - chunk * CHUNK)


def new_plan(count: int, seed: int | None = None, until: int | None = None) -> Plan:
    """Give a plan, with a random seed and the start of this hour where none are given.

    The hour, because the same seed should give the same documents again, and the last day should not be empty. A
    later hour moves only the documents that became older than 52 weeks to the front (see document.py), and `_id`s
    depend on the seed alone: a run that is resumed another day still completes the set without duplicates.
    """
    return Plan(
        count,
        secrets.randbelow(2**32) if seed is None else seed,
        time.time_ns() // 1_000_000 // _HOUR * _HOUR if until is None else until,
    )
