"""What one request costs the database, added up while it is answered. Whoever asks sets the meter and reads it."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Meter:
    """One per request; the tasks of a request share it.

    Attributes:
        seconds: of all commands; they may have run at the same time.
        rows: read from the database.
    """

    seconds: float = 0.0
    rows: int = 0


METER: ContextVar[Meter | None] = ContextVar("meter", default=None)
