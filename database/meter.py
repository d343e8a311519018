"""What one request costs the database, and a hook for the time in which it waits without working."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Meter:
    """The meter of one request, set by the gateway and shared by the request's tasks.

    Attributes:
        seconds: the sum over all commands, which may have run concurrently.
        rows: the rows read from the database.
        shared: the pages that another request's query read for this one too; that request counts their rows.
    """

    seconds: float = 0.0
    rows: int = 0
    shared: int = 0


METER: ContextVar[Meter | None] = ContextVar("meter", default=None)
# Returns a context for the time in which a request waits for another's query, or only for the database.
_WAIT: ContextVar[Callable[[], AbstractContextManager[None]]] = ContextVar("wait", default=nullcontext)


def wait_for_another() -> AbstractContextManager[None]:
    """Return a context for the time in which this task's request waits and does no work itself."""
    return _WAIT.get()()


def set_wait(wait: Callable[[], AbstractContextManager[None]]) -> None:
    """Make `wait_for_another` return what `wait` returns, in this task and those that it starts."""
    _WAIT.set(wait)
