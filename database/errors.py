"""Domain errors, each with a stable code. No HTTP here: gateway/problems.py maps codes to statuses."""

import re
from typing import ClassVar

_MAX_QUOTED = 40
# 12 digits or more, with up to two separators after each; the match includes trailing digits such as an expiry date.
_CARD_NUMBER = re.compile(r"\d(?:[^\dA-Za-z]{0,2}\d){11,}")
# API keys and JWTs; a JWT begins with the base64url form of `{"`. Only the first such beginning in a word is tried: if
# it is no token, no later one is, and trying each took seconds for a word of 60 kB.
_CREDENTIAL = re.compile(r"(?<![\w-])(?>[\w-]*?eyJ)[\w-]+\.[\w-]*\.?[\w-]*|txgw_[0-9A-Fa-f_]+")


class GatewayError(Exception):
    """An error whose message may be shown to the caller.

    Attributes:
        code: stable, in capitals; if a request can cause it, docs/errors/<code>.md describes it.
    """

    code: ClassVar[str]


class InvalidInputError(GatewayError):
    """A value is not accepted; the message names the field, the fault and what is accepted."""


class InvalidDaysError(InvalidInputError):
    code = "INVALID_DAYS"


class InvalidCardTypeError(InvalidInputError):
    code = "INVALID_CARD_TYPE"


class InvalidCountryError(InvalidInputError):
    code = "INVALID_COUNTRY"


class InvalidAmountError(InvalidInputError):
    code = "INVALID_AMOUNT"


class InvalidPageError(InvalidInputError):
    code = "INVALID_PAGE"


class InvalidCursorError(InvalidInputError):
    code = "INVALID_CURSOR"


class InvalidParameterError(InvalidInputError):
    code = "INVALID_PARAMETER"


class InvalidRepresentationError(InvalidInputError):
    code = "INVALID_REPRESENTATION"


class InvalidGroupingError(InvalidInputError):
    code = "INVALID_GROUPING"


class InvalidTimeZoneError(InvalidInputError):
    code = "INVALID_TIME_ZONE"


class InvalidPercentileError(InvalidInputError):
    code = "INVALID_PERCENTILE"


class InvalidRateError(InvalidInputError):
    code = "INVALID_RATE"


class RateMissingError(InvalidInputError):
    """A summary includes transactions in currencies that the caller sent no rate for."""

    code = "RATE_MISSING"


class TooManyGroupsError(InvalidInputError):
    code = "TOO_MANY_GROUPS"


class DatabaseError(GatewayError):
    """The database could not answer a valid request."""


class DatabaseUnavailableError(DatabaseError):
    """No server answers, or it went away; a retry may succeed later."""

    code = "DATABASE_UNAVAILABLE"


class QueryEndedError(DatabaseUnavailableError):
    """The server answers but has ended the query, which was killed or idle for too long."""


class OverloadedError(DatabaseError):
    """More queries are waiting for the database than can start in reasonable time."""

    code = "OVERLOADED"


class DatabaseTimeoutError(DatabaseError):
    """The server was reached but did not finish in time."""

    code = "DATABASE_TIMEOUT"


class DatabaseRefusedError(DatabaseError):
    """The server answers but refuses the credentials or the operation."""

    code = "DATABASE_REFUSED"


class MalformedDocumentError(DatabaseError):
    """A document does not have the declared shape."""

    code = "MALFORMED_DOCUMENT"


class LiveUnavailableError(DatabaseError):
    """The database has no change streams, or does not permit them to this user."""

    code = "LIVE_UNAVAILABLE"


class LiveEventUnknownError(InvalidInputError):
    """The events after an event id are no longer available, or the id does not belong to this stream."""

    code = "LIVE_EVENT_UNKNOWN"


class LiveTooSlowError(GatewayError):
    """A subscriber reads events more slowly than they arrive."""

    code = "LIVE_TOO_SLOW"


class ConfigurationError(GatewayError):
    """Settings are invalid; the message lists every fault by its key, with what is accepted."""

    code = "INVALID_CONFIGURATION"


class EmbeddedServerError(GatewayError):
    """The embedded mongod cannot be started or used; the message says why and what to do."""

    code = "EMBEDDED_SERVER"


def hide_secrets(text: str) -> str:
    """Replace card numbers, API keys and tokens, so that an error message cannot carry one into a log."""
    return _CARD_NUMBER.sub("************", _CREDENTIAL.sub("************", text))


def quote_value(value: object) -> str:
    """Quote a caller's value for a message: secrets hidden, truncated, control characters escaped."""
    text = hide_secrets(str(value))
    return repr(text if len(text) <= _MAX_QUOTED else text[:_MAX_QUOTED] + "…")
