"""Describe an operation's errors by a stable code and a message that callers may see. It knows no HTTP."""

from dataclasses import dataclass

from graphql import GraphQLError, GraphQLSyntaxError, VariableNode
from strawberry.types.execution import ExecutionResult, PreExecutionError

from database.errors import GatewayError, hide_secrets

INTERNAL_ERROR = "INTERNAL_ERROR"
INTERNAL_MESSAGE = "The gateway failed to answer; its log has the details."


@dataclass(frozen=True, slots=True)
class Failure:
    """One error of an operation.

    Attributes:
        code: as in docs/errors.
        message: what the caller reads; that of an unknown failure hides the original message.
        error: GraphQL's error, with its location in the document and its path in the response.
    """

    code: str
    message: str
    error: GraphQLError

    @property
    def unknown(self) -> bool:
        """Whether this is a fault of the gateway, to be logged."""
        return self.code == INTERNAL_ERROR


def describe_failures(result: ExecutionResult) -> list[Failure]:
    """Return the failures of a result, in its order."""
    return [_describe(error, _get_phase_code(result, error)) for error in result.errors or ()]


def _get_phase_code(result: ExecutionResult, error: GraphQLError) -> str:
    if isinstance(error, GraphQLSyntaxError):
        return "GRAPHQL_PARSE_FAILED"
    if isinstance(result, PreExecutionError):
        return "GRAPHQL_VALIDATION_FAILED"
    # Before the first field runs, only variables can fail. A variable that is null despite its default fails where it
    # is used (GraphQL, section 6.4.1).
    is_of_variables = error.path is None or any(isinstance(node, VariableNode) for node in error.nodes or ())
    return "GRAPHQL_VARIABLES_INVALID" if is_of_variables else INTERNAL_ERROR


def _describe(error: GraphQLError, phase_code: str) -> Failure:
    cause = _find_cause(error)
    if isinstance(cause, GatewayError):
        # GraphQL's message for a variable names the variable, which the cause does not know.
        message = error.message if phase_code == "GRAPHQL_VARIABLES_INVALID" else str(cause)
        return Failure(cause.code, hide_secrets(message), error)
    if cause is not None or phase_code == INTERNAL_ERROR:
        return Failure(INTERNAL_ERROR, INTERNAL_MESSAGE, error)
    return Failure(phase_code, hide_secrets(error.message), error)


def _find_cause(error: GraphQLError) -> Exception | None:
    """Return the exception that GraphQL's own errors wrap, if any."""
    cause: Exception | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause
