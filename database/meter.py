"""What one request costs the database, and what it does while it waits for a query that it shares with others."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Meter:
    """One per request, set by the gateway; the tasks of a request share it.

    Attributes:
        seconds: of all commands; they may have run at the same time.
        rows: read from the database.
        shared: pages that were read for another request too, which counts their rows.
        wait: gives a context for the time in which the request waits for another's query and does no work itself.
    """

    seconds: float = 0.0
    rows: int = 0
    shared: int = 0
    wait: Callable[[], AbstractContextManager[None]] = nullcontext


METER: ContextVar[Meter | None] = ContextVar("meter", default=None)


def wait_for_another() -> AbstractContextManager[None]:
    """Give the `wait` of this task's request, or one that does nothing where the task is no request's."""
    meter = METER.get()
    return meter.wait() if meter else nullcontext()


def set_wait(wait: Callable[[], AbstractContextManager[None]]) -> None:
    """Set the `wait` of this task's request."""
    if meter := METER.get():
        meter.wait = wait
