"""Parse a document, check it against the limits and validate it, once: the same text again costs a cache look-up."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from graphql import (
    DirectiveNode,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    VariableNode,
    parse,
    validate,
)

from database.errors import GatewayError
from schema.document.aliases import check_aliases
from schema.document.definition import find_nodes, find_operations
from schema.document.depth import QueryTooDeepError, check_depth
from schema.document.directives import check_directives
from schema.document.introspection import check_introspection
from schema.document.repeats import check_repeats
from schema.limits import Limits

# Bounded in number here and in size by the limits, so that callers' documents cannot exhaust memory.
_CACHED_DOCUMENTS = 256

# Enough to fix a document by; a hostile one must not turn a short request into a long response.
_MAX_ERRORS = 10


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """A parsed document that is within the limits.

    Attributes:
        document: its syntax tree.
        operations: its operations.
        errors: its validation errors; an operation may run only if there are none.
        conditions: the variables that its directives read; with the document, they decide which fields a response has.
    """

    document: DocumentNode
    operations: list[OperationDefinitionNode]
    errors: list[GraphQLError]
    conditions: frozenset[str]

    def find_operation(self, name: str | None) -> OperationDefinitionNode | None:
        """Return the operation with a name, or the first if `name` is None; None if there is none."""
        for operation in self.operations:
            if name is None or (operation.name and operation.name.value == name):
                return operation
        return None

    def check_choice(self, name: str | None) -> list[GraphQLError]:
        """Return the document's errors, or an error if it has several operations and `name` is None."""
        names = [operation.name.value for operation in self.operations if operation.name]
        if name is None and len(names) > 1:
            return [_wrap(OperationNotFoundError(f"Name one of the operations in operationName: {', '.join(names)}."))]
        return self.errors


class DocumentTooLargeError(GatewayError):
    code = "DOCUMENT_TOO_LARGE"


class QueryTooLongError(GatewayError):
    code = "QUERY_TOO_LONG"


class OperationNotFoundError(GatewayError):
    code = "GRAPHQL_OPERATION_NOT_FOUND"


def build_preparation(limits: Limits) -> Callable[[str, GraphQLSchema], PreparedDocument]:
    """Return a function that prepares a document or takes it from a cache.

    The function raises GraphQLError for a text that cannot be parsed or exceeds a limit.
    """

    @lru_cache(maxsize=_CACHED_DOCUMENTS)
    def prepare(text: str, schema: GraphQLSchema) -> PreparedDocument:
        try:
            _check_size(text, limits.document_bytes)
            document = parse(text, max_tokens=limits.tokens)
            # These run before validation because they bound its cost.
            if not limits.introspection:
                check_introspection(document)
            check_depth(document, limits.depth)
            check_aliases(document, limits.aliases)
            check_repeats(document, limits.aliases)
            check_directives(document, limits.directives)
        except RecursionError:
            raise _wrap(_build_depth_error(limits)) from None
        except GraphQLSyntaxError as error:
            # Only the message tells which of graphql-core's own limits was exceeded.
            if "nested too deeply" in error.message:
                raise _wrap(_build_depth_error(limits)) from None
            if "tokens. Parsing aborted" in error.message:
                message = f"The document has more than {limits.tokens} tokens; send shorter documents."
                raise _wrap(QueryTooLongError(message)) from None
            raise
        except GatewayError as error:
            raise _wrap(error) from None
        errors = validate(schema, document, max_errors=_MAX_ERRORS, hide_suggestions=not limits.introspection)
        return PreparedDocument(document, find_operations(document), errors, _find_conditions(document))

    return prepare


def _find_conditions(document: DocumentNode) -> frozenset[str]:
    values = (argument.value for node in find_nodes(document, DirectiveNode) for argument in node.arguments or ())
    return frozenset(value.name.value for value in values if isinstance(value, VariableNode))


def _check_size(text: str, most: int) -> None:
    if len(text.encode()) > most:
        raise DocumentTooLargeError(f"The document has more than {most} bytes; send shorter documents.")


def _build_depth_error(limits: Limits) -> QueryTooDeepError:
    return QueryTooDeepError(f"The document nests far more than {limits.depth} deep; select fewer levels.")


def _wrap(error: GatewayError) -> GraphQLError:
    return GraphQLError(str(error), original_error=error)
