"""Store a set of transactions on all cores, so that the next run can complete an interrupted one."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from types import FrameType
from typing import TypeAlias

from database.environment import DatabaseEnvironment
from database.loader import Loader, open_loader
from database.machine import count_cores
from seeding.document import build_identifiers
from seeding.error import SeedingError
from seeding.plan import Plan, new_plan
from seeding.worker_pool import WorkerPool

# Measured at 200,000 documents: 193 bytes each, 410 in the indexes, and 203 in the oplog until that is full.
_BYTES_EACH = 800


@dataclass(frozen=True, slots=True)
class SeedReport:
    """The progress of a run.

    Attributes:
        plan: what to store; its seed and date make the run repeatable.
        added: the number of documents that this run has stored.
        found: the number of documents of the set that this run found stored already.
        seconds: the time taken so far, including the start.
    """

    plan: Plan
    added: int = 0
    found: int = 0
    seconds: float = 0.0

    @property
    def stored(self) -> int:
        """The number of documents of the set known to be in the collection."""
        return self.added + self.found


Progress: TypeAlias = Callable[[SeedReport], None]


def seed(
    environment: DatabaseEnvironment,
    count: int,
    *,
    seed: int | None = None,
    until: int | None = None,
    workers: int | None = None,
    progress: Progress = lambda _: None,
) -> SeedReport:
    """Store those of the first `count` documents of the set that `seed` selects that are not stored yet.

    Args:
        environment: a server that answers, a provisioned database, and a user who may write to it.
        count: the number of documents, from 1.
        seed: any integer; a random one if None.
        until: the latest date, in ms since the epoch, UTC; the start of this hour if None.
        workers: the number of processes, from 1; one per core if None. The documents do not depend on it.
        progress: called with the report so far, at the start and after each chunk.

    Raises:
        SeedingError: the disk has too little space, or a worker was killed.
        DatabaseError: the server went away, or refuses.
        KeyboardInterrupt: Ctrl-C; the workers have finished their current chunks, and `progress` was called for them.
    """
    began = time.monotonic()
    plan = new_plan(count, seed, until)
    report = SeedReport(plan)
    with open_loader(environment) as loader:
        # If an earlier run began this set, the documents already stored need no more space.
        begun = loader.count() if loader.holds(build_identifiers(plan.seed, 0, 1)[0]) else 0
        check_space(loader, count, begun)
    progress(report)
    with (
        closing(WorkerPool(environment, plan, workers or count_cores())) as pool,
        _interrupts_to(pool.ask_to_stop) as interrupted,
    ):
        for loaded in pool.listen():
            report = replace(
                report,
                added=report.added + loaded.added,
                found=report.found + loaded.found,
                seconds=time.monotonic() - began,
            )
            progress(report)
    if interrupted.is_set() and report.stored < count:
        raise KeyboardInterrupt
    return report


def check_space(loader: Loader, count: int, held: int) -> None:
    """Raise SeedingError if the server's disk has no space for `count` documents, `held` of which need none."""
    free = loader.find_free_bytes()
    needed = max(0, count - held) * _BYTES_EACH
    if free is not None and needed > free:
        raise SeedingError(
            f"{count:,} transactions need about {_format_gigabytes(needed)}, indexes included, and the server's"
            f" disk has {_format_gigabytes(free)} free: ask for at most {(free // _BYTES_EACH) + held:,}."
        )


def _format_gigabytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB"


@contextmanager
def _interrupts_to(stop: Callable[[], None]) -> Iterator[threading.Event]:
    """Make Ctrl-C call `stop` and set the yielded event, instead of interrupting in the middle of a report."""
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        # Signals reach only the main thread, which then decides what Ctrl-C does.
        yield interrupted
        return

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        interrupted.set()
        stop()

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)
