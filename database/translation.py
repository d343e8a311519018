"""Translate the driver's errors into domain errors, whose messages must not quote a document or a secret."""

import re

from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
)

from database.errors import (
    DatabaseError,
    DatabaseRefusedError,
    DatabaseTimeoutError,
    DatabaseUnavailableError,
    QueryEndedError,
)
from database.index import COLLECTION

CREDENTIALS_CODES = (11, 18, 334, 8000)
# 211: a member that has just become the primary may have no keys yet to sign cluster times with.
AWAY_CODES = (6, 7, 91, 133, 134, 189, 211, 9001, 10107, 11600, 11602, 13435, 13436)
_TIMED_OUT = (DatabaseTimeoutError, "did not answer in time.")
_WENT_AWAY = (DatabaseUnavailableError, "went away or is changing its primary.")
# https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml; Atlas answers 8000 for its own refusals.
_MEANINGS: dict[int, tuple[type[DatabaseError], str]] = {
    **dict.fromkeys(CREDENTIALS_CODES, (DatabaseRefusedError, "refuses the credentials.")),
    13: (DatabaseRefusedError, "does not permit this to its user."),
    # Both mean that the server does not support the operation on a view.
    **dict.fromkeys(
        (166, 167),
        (DatabaseRefusedError, f"has a view by the name {COLLECTION!r}, where the gateway needs a collection."),
    ),
    **dict.fromkeys((50, 89, 202, 262), _TIMED_OUT),
    # A retry would succeed: the query's cursor was idle for too long or killed (43, 237), or an index that it read was
    # dropped (175).
    **dict.fromkeys((43, 175, 237), (QueryEndedError, "ended the query before its end.")),
    **dict.fromkeys(AWAY_CODES, _WENT_AWAY),
}

# Patterns in the driver's message about servers it cannot use, the most specific first. The message quotes no secret.
_REASONS = (
    (r"certificate verify failed: ([^(]+) \(", "its certificate is not accepted ({}); tlsCAFile names the authority's"),
    (r"SSL", "it does not use TLS, or rejects this client's certificate: correct tls or tlsCertificateKeyFile"),
    (r"for replica set name", "it is not a member of the replica set that replicaSet names"),
    (r"match selector", "its replica set has no primary now, or no member that readPreference allows"),
    (
        r"connection closed",
        "it closes each connection; it may require TLS (tls=true) or a client certificate (tlsCertificateKeyFile)",
    ),
    (r"not known|name resolution", "a host name is not known"),
)


def translate(error: PyMongoError, subject: str) -> DatabaseError | None:
    """Return the domain's error for a driver's, or None if neither the server nor its user is at fault."""
    if meaning := _find_refusal(error) if isinstance(error, OperationFailure) else _find_loss(error):
        kind, says = meaning
        return kind(f"{subject} {says}")
    return None


def find_reason(error: PyMongoError) -> str | None:
    """Return why no server can be used, or None if the driver reports nothing but an absent server."""
    found = ((re.search(pattern, str(error)), says) for pattern, says in _REASONS)
    return next((says.format(*match.groups()) for match, says in found if match), None)


def _find_refusal(error: OperationFailure) -> tuple[type[DatabaseError], str]:
    """Return the meaning of an error that the server answered with."""
    if error.code in _MEANINGS:
        return _MEANINGS[error.code]
    # The property also finds timeouts nested in the errors of bulk writes and write concerns.
    if error.timeout:
        return _TIMED_OUT
    # Only the code and its name: the server's message may quote a document.
    name = (error.details or {}).get("codeName")
    return DatabaseRefusedError, f"answered with an error (code {error.code}{f', {name}' if name else ''})."


def _find_loss(error: PyMongoError) -> tuple[type[DatabaseError], str] | None:
    """Return the meaning of an error without a server's answer, or None if it means that the driver was misused."""
    if isinstance(error, ServerSelectionTimeoutError):
        return DatabaseUnavailableError, "does not answer."
    if isinstance(error, WaitQueueTimeoutError):
        return DatabaseUnavailableError, "is too busy: every connection to it is in use."
    if isinstance(error, ConnectionFailure):
        # Includes NetworkTimeout: the driver limits only the time to connect, unless the URI sets other limits.
        return _WENT_AWAY
    if isinstance(error, ConfigurationError):
        says = (
            "cannot be used: its version is too old, its name cannot be looked up, or its URI's options are at fault."
        )
        return DatabaseUnavailableError, says
    return None
