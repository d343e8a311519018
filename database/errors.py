"""The errors of the domain, each with a stable code. No HTTP here: gateway/problems.py maps a code to a status."""

import re
from typing import ClassVar

_MAX_QUOTED = 40
# As long as a card number at least, whatever stands between its digits or follows them (an expiry date, say).
_CARD_NUMBER = re.compile(r"\d(?:[^\dA-Za-z]{0,2}\d){11,}")
# API keys, and JWTs, which begin as base64url of `{"`. Of a word it looks at the first such beginning alone: where that
# begins none, no other does, and to try each took seconds of a word of 60 kB.
_CREDENTIAL = re.compile(r"(?<![\w-])(?>[\w-]*?eyJ)[\w-]+\.[\w-]*\.?[\w-]*|txgw_[0-9A-Fa-f_]+")


class GatewayError(Exception):
    """An error whose message may be shown to the caller.

    Attributes:
        code: stable, in capitals; if a request can meet it, its page is docs/errors/<code>.md.
    """

    code: ClassVar[str]


class InvalidInputError(GatewayError):
    """A value that cannot be accepted; the message names the field, the fault and what is accepted."""


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
    """Transactions of a summary are in currencies that the caller sent no rate for."""

    code = "RATE_MISSING"


class TooManyGroupsError(InvalidInputError):
    code = "TOO_MANY_GROUPS"


class DatabaseError(GatewayError):
    """The database could not answer; nothing is wrong with the question."""


class DatabaseUnavailableError(DatabaseError):
    """No server answers, or it went away: the same question may succeed later."""

    code = "DATABASE_UNAVAILABLE"


class QueryEndedError(DatabaseUnavailableError):
    """The server that answers has ended the query: it was killed, or was idle for too long."""


class OverloadedError(DatabaseError):
    """More questions wait for the database than can be begun in reasonable time."""

    code = "OVERLOADED"


class DatabaseTimeoutError(DatabaseError):
    """The server was reached and did not finish in time."""

    code = "DATABASE_TIMEOUT"


class DatabaseRefusedError(DatabaseError):
    """The server answers but refuses the credentials, or the user may not do this."""

    code = "DATABASE_REFUSED"


class MalformedDocumentError(DatabaseError):
    """A document is not of the declared shape."""

    code = "MALFORMED_DOCUMENT"


class LiveUnavailableError(DatabaseError):
    """The database cannot tell what is added to it, or may not to this user."""

    code = "LIVE_UNAVAILABLE"


class LiveEventUnknownError(InvalidInputError):
    """What came after an event cannot be told any more, or the event's id is none of this stream's."""

    code = "LIVE_EVENT_UNKNOWN"


class LiveTooSlowError(GatewayError):
    """A subscriber takes events more slowly than they come."""

    code = "LIVE_TOO_SLOW"


class ConfigurationError(GatewayError):
    """Settings at fault: every fault at once, each by its key and with what is accepted."""

    code = "INVALID_CONFIGURATION"


class EmbeddedServerError(GatewayError):
    """The embedded mongod cannot be started or used; the message says why and what to do."""

    code = "EMBEDDED_SERVER"


def hide_secrets(text: str) -> str:
    """Replace card numbers, keys and tokens: one in the wrong place must not reach a log by way of an error."""
    return _CARD_NUMBER.sub("************", _CREDENTIAL.sub("************", text))


def quote_value(value: object) -> str:
    """Quote a caller's value for a message: card numbers and keys hidden, cut short, control characters escaped."""
    text = hide_secrets(str(value))
    return repr(text if len(text) <= _MAX_QUOTED else text[:_MAX_QUOTED] + "…")
