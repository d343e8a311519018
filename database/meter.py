"""What one request costs the database, and what it lets others do while it waits and does no work itself."""

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
    """

    seconds: float = 0.0
    rows: int = 0
    shared: int = 0


METER: ContextVar[Meter | None] = ContextVar("meter", default=None)
# Gives a context for the time in which a question waits for another's query, or for the database alone.
_WAIT: ContextVar[Callable[[], AbstractContextManager[None]]] = ContextVar("wait", default=nullcontext)


def wait_for_another() -> AbstractContextManager[None]:
    """Give a context for the time in which this task's question waits and does no work itself."""
    return _WAIT.get()()


def set_wait(wait: Callable[[], AbstractContextManager[None]]) -> None:
    """Have `wait_for_another` give what `wait` does, in this task and those that it starts."""
    _WAIT.set(wait)
