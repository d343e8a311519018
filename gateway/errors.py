"""What can be wrong with an HTTP request before any question is asked."""

from database.errors import GatewayError


class NotFoundError(GatewayError):
    code = "NOT_FOUND"


class MethodNotAllowedError(GatewayError):
    code = "METHOD_NOT_ALLOWED"


class NotAcceptableError(GatewayError):
    code = "NOT_ACCEPTABLE"


class BodyTooLargeError(GatewayError):
    code = "BODY_TOO_LARGE"


class UnsupportedMediaTypeError(GatewayError):
    code = "UNSUPPORTED_MEDIA_TYPE"


class InvalidGraphQLRequestError(GatewayError):
    code = "GRAPHQL_REQUEST_INVALID"
