"""Parses a document, holds it to the limits and validates it, once: the same text again costs a look-up."""

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

# Bounded in number here and in size by the limits, so that foreign documents cannot fill the memory.
_CACHED_DOCUMENTS = 256

# Enough to mend a document by; a hostile one must not turn a short request into a long answer.
_MAX_ERRORS = 10


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """A document that was parsed and is within the limits.

    Attributes:
        document: its syntax tree.
        operations: those that it holds.
        errors: what validation found in it; only without any may an operation run.
        conditions: the variables that its directives read, which decide with the document what an answer holds.
    """

    document: DocumentNode
    operations: list[OperationDefinitionNode]
    errors: list[GraphQLError]
    conditions: frozenset[str]

    def find_operation(self, name: str | None) -> OperationDefinitionNode | None:
        """Give the operation of a name, or the first when none is given."""
        for operation in self.operations:
            if name is None or (operation.name and operation.name.value == name):
                return operation
        return None

    def check_choice(self, name: str | None) -> list[GraphQLError]:
        """Give the document's errors, or that one of several operations must be named."""
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
    """Give a function that prepares a document, from a cache if it is known.

    The function raises GraphQLError for a text that cannot be parsed or breaks a limit.
    """

    @lru_cache(maxsize=_CACHED_DOCUMENTS)
    def prepare(text: str, schema: GraphQLSchema) -> PreparedDocument:
        try:
            _check_size(text, limits.document_bytes)
            document = parse(text, max_tokens=limits.tokens)
            # Before validation, whose cost these bound.
            if not limits.introspection:
                check_introspection(document)
            check_depth(document, limits.depth)
            check_aliases(document, limits.aliases)
            check_repeats(document, limits.aliases)
            check_directives(document, limits.directives)
        except RecursionError:
            raise _wrap(_build_depth_error(limits)) from None
        except GraphQLSyntaxError as error:
            # graphql-core tells its own bounds by their words alone.
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
