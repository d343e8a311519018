"""Who asks, and what that allows. How a caller is known is not said here."""

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What a caller may be allowed."""

    TRANSACTIONS_READ = "transactions:read"
    CARDS_READ = "cards:read"
    METRICS_READ = "metrics:read"


@dataclass(frozen=True, slots=True)
class Caller:
    """One per request.

    Attributes:
        name: for logs and counts: `key:<id>`, `jwt:<subject>`, or `anonymous`.
        scopes: what is allowed.
    """

    name: str
    scopes: frozenset[Scope]


# Where nobody has said who may ask, which only loopback allows: everything but whole card numbers.
ANONYMOUS = Caller("anonymous", frozenset({Scope.TRANSACTIONS_READ, Scope.METRICS_READ}))
# Where somebody has said who may ask, whoever has not shown to be one of them.
STRANGER = Caller(ANONYMOUS.name, frozenset())
