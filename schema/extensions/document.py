"""Parses a document, holds it to the limits and validates it, once: the same text again costs a look-up."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TypeAlias

from graphql import DocumentNode, GraphQLError, GraphQLSchema, GraphQLSyntaxError, parse, validate
from strawberry.extensions import SchemaExtension

from database.errors import GatewayError
from schema.extensions.aliases import check_aliases
from schema.extensions.definition import find_operations
from schema.extensions.depth import QueryTooDeepError, check_depth
from schema.extensions.directives import check_directives
from schema.extensions.introspection import check_introspection
from schema.limits import Limits

# Bounded in number here and in size by the limits, so that foreign documents cannot fill the memory.
_CACHED_DOCUMENTS = 256

# Enough to mend a document by; a hostile one must not turn a short request into a long answer.
_MAX_ERRORS = 10

PreparedDocument: TypeAlias = tuple[DocumentNode, tuple[GraphQLError, ...]]


class DocumentTooLargeError(GatewayError):
    code = "DOCUMENT_TOO_LARGE"


class QueryTooLongError(GatewayError):
    code = "QUERY_TOO_LONG"


class OperationNotFoundError(GatewayError):
    code = "GRAPHQL_OPERATION_NOT_FOUND"


def build_preparation(limits: Limits) -> Callable[[str, GraphQLSchema], PreparedDocument]:
    """Give a function that prepares a document: its syntax tree and the errors found in it, from a cache if known.

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
        return document, tuple(errors)

    return prepare


class PreparedDocuments(SchemaExtension):
    """Gives Strawberry the prepared document instead of parsing and validating again."""

    def __init__(self, prepare: Callable[[str, GraphQLSchema], PreparedDocument]) -> None:
        self._prepare = prepare
        self._errors: tuple[GraphQLError, ...] = ()

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        # Strawberry has no public name for the schema that graphql-core validates against.
        context.graphql_document, self._errors = self._prepare(context.query or "", context.schema._schema)  # noqa: SLF001
        yield

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        errors = list(self._errors)
        # Strawberry would run the first of several operations and has no public name for the one that was asked for.
        if context._provided_operation_name is None and context.graphql_document:  # noqa: SLF001
            names = [node.name.value for node in find_operations(context.graphql_document) if node.name]
            if len(names) > 1:
                known = ", ".join(names)
                errors = [_wrap(OperationNotFoundError(f"Name one of the operations in operationName: {known}."))]
        # An empty list, unlike None, says that validation has been done.
        context.pre_execution_errors = errors
        yield


def _check_size(text: str, most: int) -> None:
    if len(text.encode()) > most:
        raise DocumentTooLargeError(f"The document has more than {most} bytes; send shorter documents.")


def _build_depth_error(limits: Limits) -> QueryTooDeepError:
    return QueryTooDeepError(f"The document nests far more than {limits.depth} deep; select fewer levels.")


def _wrap(error: GatewayError) -> GraphQLError:
    return GraphQLError(str(error), original_error=error)
