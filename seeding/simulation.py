"""Store simulated live transactions, dated now, at a rate with bursts.

After an outage of the database it continues, and must not exceed the rate to catch up.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, count, islice
from uuid import uuid4

from database.environment import DatabaseEnvironment
from database.errors import DatabaseTimeoutError, DatabaseUnavailableError
from database.loader import Loader, open_loader
from seeding.document import Document, build_documents
from seeding.pace import Pace
from seeding.pool import build_pools

# Small steps, so that a live view moves evenly. A step counts at most _LONGEST_STEP_SECONDS: the rest is not caught up.
_STEP_SECONDS = 0.02
_LONGEST_STEP_SECONDS = 0.25
_RETRY_SECONDS = 1.0
# The number of documents built at a time, which takes a few milliseconds.
_DRAWN = 50


@dataclass(frozen=True, slots=True)
class SimulationReport:
    """The progress of a simulation.

    Attributes:
        stored: the number of transactions stored so far.
        seconds: the time taken so far.
        trouble: why nothing is being stored at the moment, or None.
    """

    stored: int
    seconds: float
    trouble: str | None = None


Watch = Callable[[SimulationReport], None]


def simulate(
    environment: DatabaseEnvironment,
    pace: Pace,
    *,
    seed: int,
    stop: threading.Event,
    most: int | None = None,
    seconds: float | None = None,
    watch: Watch = lambda _: None,
) -> SimulationReport:
    """Store transactions until `stop` is set, `most` are stored or `seconds` have passed.

    Args:
        environment: a server that answers, a provisioned database, and a user who may write to it.
        pace: the rate and the bursts, which are never exceeded.
        seed: selects the purchases and cards; ids and dates are new each time.
        stop: checked between two steps.
        most: the number of transactions, from 1; unlimited if None.
        seconds: the duration; unlimited if None.
        watch: called with the report so far, after each step and each failed attempt.

    Raises:
        DatabaseRefusedError: the server does not let this user write.
    """
    documents = draw_documents(seed)
    # The first document builds the pools, which takes a second: start the clock only after that.
    first = next(documents)
    with open_loader(environment) as loader:
        return _Simulation(loader, chain([first], documents), stop, watch).run(pace, most, seconds)


def draw_documents(seed: int) -> Iterator[Document]:
    """Yield an endless sequence of documents, determined by the seed; the caller must replace their ids and dates."""
    pools = build_pools(seed)
    for chunk in count():
        yield from build_documents(seed, chunk, _DRAWN, pools, until=0)


class _Simulation:
    def __init__(self, loader: Loader, documents: Iterator[Document], stop: threading.Event, watch: Watch) -> None:
        self._loader = loader
        self._documents = documents
        self._stop = stop
        self._watch = watch
        self._began = time.monotonic()
        self._stored = 0

    def run(self, pace: Pace, most: int | None, seconds: float | None) -> SimulationReport:
        # The pace's own clock, which stops while the database is away.
        clock, before = 0.0, self._began
        end = math.inf if seconds is None else seconds
        while (most is None or self._stored < most) and self._get_seconds() < end:
            if self._stop.wait(_STEP_SECONDS):
                break
            now = time.monotonic()
            clock += min(now - before, _LONGEST_STEP_SECONDS)
            before = now
            due = math.floor(pace.count_due(clock)) - self._stored
            if due > 0:
                number = due if most is None else min(due, most - self._stored)
                if not self._store(list(islice(self._documents, number)), end):
                    break
            self._watch(self._report())
        return self._report()

    def _store(self, documents: list[Document], end: float) -> bool:
        """Store each document exactly once, across outages; return False if the simulation ends first."""
        for document in documents:
            document["_id"] = str(uuid4())
        while True:
            now = time.time_ns() // 1_000_000
            for document in documents:
                document["date"] = now
            try:
                # The ids make a retry idempotent: documents that an unacknowledged attempt stored are skipped.
                self._loader.load(documents)
            except (DatabaseUnavailableError, DatabaseTimeoutError) as error:
                self._watch(self._report(str(error)))
                left = end - self._get_seconds()
                if self._stop.wait(max(0.0, min(_RETRY_SECONDS, left))) or left <= _RETRY_SECONDS:
                    return False
            else:
                self._stored += len(documents)
                return True

    def _report(self, trouble: str | None = None) -> SimulationReport:
        return SimulationReport(self._stored, self._get_seconds(), trouble)

    def _get_seconds(self) -> float:
        return time.monotonic() - self._began
