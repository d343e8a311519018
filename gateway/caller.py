"""Who asks, and with which scopes. How a caller is known is up to gateway/authentication.py."""

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


# Everybody, where no keys and no JWTs are configured, which only loopback allows: all but whole card numbers.
ANONYMOUS = Caller("anonymous", frozenset({Scope.TRANSACTIONS_READ, Scope.METRICS_READ}))
# Where they are configured, a caller whose credentials were not accepted, or not yet looked at.
STRANGER = Caller(ANONYMOUS.name, frozenset())
