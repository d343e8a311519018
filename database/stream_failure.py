"""Translate the failure of a change stream into the error that its live subscribers receive."""

from pymongo.errors import OperationFailure, PyMongoError

from database.client import translated_errors
from database.errors import (
    DatabaseError,
    DatabaseRefusedError,
    DatabaseTimeoutError,
    DatabaseUnavailableError,
    GatewayError,
    LiveEventUnknownError,
    LiveUnavailableError,
)
from database.stream import is_passing

# https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
_LOST_CODES = frozenset({222, 260, 280, 286})
_UNAVAILABLE = {
    13: "The database does not permit its user to follow changes: grant it the action changeStream on the collection, "
    "as `gateway provision` does.",
    40573: "The database has no change streams because it is a standalone server: make it a replica set (one member is "
    "enough), or use the embedded server.",
    **dict.fromkeys((166, 167), "The database has no change stream of a view: the gateway needs the collection."),
}
LOST = (
    "What came after this event is no longer kept by the database; begin without an id, and read what was missed at "
    "/transactions."
)


def may_pass(error: PyMongoError) -> bool:
    """Return whether the stream can resume where it stopped, now or once the database is back."""
    return is_passing(error) or isinstance(translate_failure(error), DatabaseUnavailableError | DatabaseTimeoutError)


def translate_failure(error: PyMongoError) -> GatewayError:
    """Return the domain's error for a driver's; re-raise it if neither the server nor its user is at fault."""
    if isinstance(error, OperationFailure):
        if error.code in _UNAVAILABLE:
            return LiveUnavailableError(_UNAVAILABLE[error.code])
        if error.code in _LOST_CODES:
            return LiveEventUnknownError(LOST)
    try:
        with translated_errors():
            raise error
    except DatabaseError as translated:
        return translated


def translate_replay_failure(error: PyMongoError) -> GatewayError:
    """Like `translate_failure`, for a resumption: once the stream is open, only its resume token can be refused."""
    failure = translate_failure(error)
    return LiveEventUnknownError(LOST) if isinstance(failure, DatabaseRefusedError) else failure
