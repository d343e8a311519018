"""What can be wrong with an HTTP request before any question is asked."""

from database.errors import GatewayError

SLASH_AT_END = "There is nothing at this path with a trailing slash; remove the slash."
# In a query string a + stands for a space (https://url.spec.whatwg.org/#urlencoded-parsing).
PLUS = " In a URL, + is written %2B."


class NotFoundError(GatewayError):
    code = "NOT_FOUND"


class MethodNotAllowedError(GatewayError):
    """What is asked for is not answered by this method.

    Attributes:
        allowed: the methods that it is answered by, as the header Allow has them (RFC 9110, section 10.2.1).
    """

    code = "METHOD_NOT_ALLOWED"

    def __init__(self, message: str, allowed: str) -> None:
        super().__init__(message)
        self.allowed = allowed


class NotAcceptableError(GatewayError):
    code = "NOT_ACCEPTABLE"


class BodyTooLargeError(GatewayError):
    code = "BODY_TOO_LARGE"


class BodyTimeoutError(GatewayError):
    code = "BODY_TIMEOUT"


class RequestTimeoutError(GatewayError):
    code = "REQUEST_TIMEOUT"


class UnsupportedMediaTypeError(GatewayError):
    code = "UNSUPPORTED_MEDIA_TYPE"


class InvalidGraphQLRequestError(GatewayError):
    code = "GRAPHQL_REQUEST_INVALID"


class PersistedQueryNotFoundError(GatewayError):
    code = "PERSISTED_QUERY_NOT_FOUND"


class UntrustedDocumentError(GatewayError):
    code = "DOCUMENT_NOT_TRUSTED"


class UnauthenticatedError(GatewayError):
    """Nobody has said who asks, or what was said is not accepted; the message never says which part was wrong."""

    code = "UNAUTHENTICATED"


class AuthenticationUnavailableError(GatewayError):
    """Whether the credentials are good cannot be told at the moment."""

    code = "AUTHENTICATION_UNAVAILABLE"


class ForbiddenError(GatewayError):
    """The caller is known and lacks a scope.

    Attributes:
        scope: the one that is missing.
    """

    code = "FORBIDDEN"

    def __init__(self, scope: str) -> None:
        super().__init__(f"This needs the scope {scope}, which the caller does not have.")
        self.scope = scope


class AnswerNotDeliverableError(GatewayError):
    """The answer does not fit what carries it: too large for it, or without an end."""

    code = "ANSWER_NOT_DELIVERABLE"


class CrossSiteRequestError(GatewayError):
    """A page of another site sent the request."""

    code = "CROSS_SITE_REQUEST"


class HostNotServedError(GatewayError):
    """The request names a host that this gateway, open to all who reach it, does not answer for."""

    code = "HOST_NOT_SERVED"


class DrainingError(GatewayError):
    """The gateway stops; what is in flight is finished."""

    code = "DRAINING"


class TooManyRequestsError(GatewayError):
    """A caller asks too often.

    Attributes:
        retry_after_seconds: when it may ask again.
    """

    code = "TOO_MANY_REQUESTS"

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class TooManySubscriptionsError(GatewayError):
    """A caller holds as many live streams open as are allowed."""

    code = "LIVE_TOO_MANY"


class KeysUnavailableError(Exception):
    """The issuer's keys are not known, so that no token can be told right or wrong; it never leaves authentication."""
