"""What one request costs the database, and how it waits for what another asks of it. Whoever asks sets the meter."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Meter:
    """One per request; the tasks of a request share it.

    Attributes:
        seconds: of all commands; they may have run at the same time.
        rows: read from the database.
        shared: pages that were read for another request too, which counts their rows.
        wait: gives a block in which the request waits for another's work and does none itself.
    """

    seconds: float = 0.0
    rows: int = 0
    shared: int = 0
    wait: Callable[[], AbstractContextManager[None]] = nullcontext


METER: ContextVar[Meter | None] = ContextVar("meter", default=None)


def wait_for_another() -> AbstractContextManager[None]:
    """Give a block in which the request of this task, if it is one's, waits for another's work and does none itself."""
    meter = METER.get()
    return meter.wait() if meter else nullcontext()


def set_wait(wait: Callable[[], AbstractContextManager[None]]) -> None:
    """Say what such a block is for the request of this task."""
    if meter := METER.get():
        meter.wait = wait
