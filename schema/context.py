"""What one request brings to the resolvers: where the rows are, and what time it was when the request arrived."""

import time
from dataclasses import dataclass, field
from typing import TypeAlias

import strawberry

from database.repository import TransactionRepository


def read_clock_ms() -> int:
    """Give the present in ms since the epoch, UTC."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class RequestContext:
    """One per request, whichever the style.

    Attributes:
        repository: runs the plans.
        now_ms: when the request arrived, in ms since the epoch, UTC: the end of every window in it.
    """

    repository: TransactionRepository
    now_ms: int = field(default_factory=read_clock_ms)


Info: TypeAlias = strawberry.Info[RequestContext, None]
