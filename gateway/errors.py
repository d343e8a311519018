"""The errors of the gateway itself; gateway/problems.py maps their codes to HTTP statuses."""

from database.errors import GatewayError

SLASH_AT_END = "There is nothing at this path with a trailing slash; remove the slash."
# In a query string a + stands for a space (https://url.spec.whatwg.org/#urlencoded-parsing).
PLUS = " In a URL, + is written %2B."


class NotFoundError(GatewayError):
    code = "NOT_FOUND"


class MethodNotAllowedError(GatewayError):
    """The path does not support this method.

    Attributes:
        allowed: the methods that it supports, in the form of the header Allow (RFC 9110, section 10.2.1).
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
    """The credentials are missing or not accepted; the message never says which part was wrong."""

    code = "UNAUTHENTICATED"


class AuthenticationUnavailableError(GatewayError):
    """The credentials cannot be checked at the moment."""

    code = "AUTHENTICATION_UNAVAILABLE"


class ForbiddenError(GatewayError):
    """The caller is known and lacks a scope.

    Attributes:
        scope: the missing scope.
    """

    code = "FORBIDDEN"

    def __init__(self, scope: str) -> None:
        super().__init__(f"This needs the scope {scope}, which the caller does not have.")
        self.scope = scope


class AnswerNotDeliverableError(GatewayError):
    """The transport cannot carry the response: it is too large, or has no end."""

    code = "ANSWER_NOT_DELIVERABLE"


class CrossSiteRequestError(GatewayError):
    """A page of another site sent the request."""

    code = "CROSS_SITE_REQUEST"


class HostNotServedError(GatewayError):
    """The request's Host is not one that this gateway serves; without authentication, only this machine's are."""

    code = "HOST_NOT_SERVED"


class DrainingError(GatewayError):
    """The gateway is stopping, and only finishes the requests in flight."""

    code = "DRAINING"


class TooManyRequestsError(GatewayError):
    """A caller sends requests too often.

    Attributes:
        retry_after_seconds: how long it must wait before the next one.
    """

    code = "TOO_MANY_REQUESTS"

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class TooManySubscriptionsError(GatewayError):
    """A caller already has the maximum number of live streams open."""

    code = "LIVE_TOO_MANY"


class KeysUnavailableError(Exception):
    """The issuer's keys are not known, so that no token can be verified; gateway/authentication.py handles it."""
