"""What the driver's errors mean to whoever asks: the domain's errors, in words that quote no document and no secret."""

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
# A member that has just become the primary may have no keys yet to sign times with (211).
AWAY_CODES = (6, 7, 91, 133, 134, 189, 211, 9001, 10107, 11600, 11602, 13435, 13436)
_TIMED_OUT = (DatabaseTimeoutError, "did not answer in time.")
_WENT_AWAY = (DatabaseUnavailableError, "went away or is changing its primary.")
# https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml; Atlas answers 8000 for its own refusals.
_MEANINGS: dict[int, tuple[type[DatabaseError], str]] = {
    **dict.fromkeys(CREDENTIALS_CODES, (DatabaseRefusedError, "refuses the credentials.")),
    13: (DatabaseRefusedError, "does not permit this to its user."),
    # The server's two ways to say that it cannot do this with a view.
    **dict.fromkeys(
        (166, 167),
        (DatabaseRefusedError, f"has a view by the name {COLLECTION!r}, where the gateway needs a collection."),
    ),
    **dict.fromkeys((50, 89, 202, 262), _TIMED_OUT),
    # It would answer if it were asked again: the query's cursor was idle for too long or was killed (43, 237), or an
    # index that it read was dropped (175).
    **dict.fromkeys((43, 175, 237), (QueryEndedError, "ended the query before its end.")),
    **dict.fromkeys(AWAY_CODES, _WENT_AWAY),
}

# What the driver says of the servers that it cannot use, of which it names the hosts alone; the most telling first.
_REASONS = (
    (r"certificate verify failed: ([^(]+) \(", "its certificate is not accepted ({}); tlsCAFile names the authority's"),
    (r"SSL", "it speaks no TLS, or refuses it to this client: correct tls or tlsCertificateKeyFile"),
    (r"for replica set name", "it is no member of the replica set that replicaSet names"),
    (r"match selector", "its replica set has no primary now, or no member that readPreference allows"),
    (
        r"connection closed",
        "it ends each connection, as where it wants TLS (tls=true) or a client's certificate (tlsCertificateKeyFile)",
    ),
    (r"not known|name resolution", "a host name is not known"),
)


def translate(error: PyMongoError, subject: str) -> DatabaseError | None:
    """The domain's error for a driver's, or None where neither the server nor its user is at fault."""
    if meaning := _find_refusal(error) if isinstance(error, OperationFailure) else _find_loss(error):
        kind, says = meaning
        return kind(f"{subject} {says}")
    return None


def find_reason(error: PyMongoError) -> str | None:
    """Why no server can be used, as far as the driver tells it apart from one that is away."""
    found = ((re.search(pattern, str(error)), says) for pattern, says in _REASONS)
    return next((says.format(*match.groups()) for match, says in found if match), None)


def _find_refusal(error: OperationFailure) -> tuple[type[DatabaseError], str]:
    """What it means that a server answered with an error."""
    if error.code in _MEANINGS:
        return _MEANINGS[error.code]
    # Bulk writes and write concerns carry their timeout inside: the property looks there.
    if error.timeout:
        return _TIMED_OUT
    # By number and name alone: the server's own words may quote a document.
    name = (error.details or {}).get("codeName")
    return DatabaseRefusedError, f"answered with an error (code {error.code}{f', {name}' if name else ''})."


def _find_loss(error: PyMongoError) -> tuple[type[DatabaseError], str] | None:
    """What it means that no server answered, if it does not mean that the driver was used in a wrong way."""
    if isinstance(error, ServerSelectionTimeoutError):
        return DatabaseUnavailableError, "does not answer."
    if isinstance(error, WaitQueueTimeoutError):
        return DatabaseUnavailableError, "is too busy: every connection to it is in use."
    if isinstance(error, ConnectionFailure):
        # NetworkTimeout too: nothing but connecting has a time limit of the driver's, unless the URI sets one.
        return _WENT_AWAY
    if isinstance(error, ConfigurationError):
        says = (
            "cannot be used: its version is too old, its name cannot be looked up, or its URI's options are at fault."
        )
        return DatabaseUnavailableError, says
    return None
