"""A request's caller and its scopes. gateway/authentication.py identifies the caller."""

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """A permission that a caller may have."""

    TRANSACTIONS_READ = "transactions:read"
    CARDS_READ = "cards:read"
    METRICS_READ = "metrics:read"


@dataclass(frozen=True, slots=True)
class Caller:
    """The sender of a request.

    Attributes:
        name: for logs and limits: `key:<id>`, `jwt:<subject>`, or `anonymous`.
        scopes: what the caller may do.
    """

    name: str
    scopes: frozenset[Scope]


# Every caller if neither keys nor JWTs are configured, which only loopback allows: no access to full card numbers.
ANONYMOUS = Caller("anonymous", frozenset({Scope.TRANSACTIONS_READ, Scope.METRICS_READ}))
# If they are configured, a caller whose credentials were rejected, or have not been checked yet.
UNAUTHENTICATED = Caller(ANONYMOUS.name, frozenset())
