"""One GraphQL operation over any transport: its parameters, its execution, and its result as JSON.

The transports are gateway/graphql.py (HTTP), gateway/event_stream.py (SSE) and gateway/websocket.py (WebSocket).
"""

import logging
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError
from starlette.datastructures import State
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.execution import ExecutionResult, PreExecutionError
from strawberry.types.graphql import OperationType

from database.errors import quote_value
from gateway.documents import Documents
from gateway.errors import InvalidGraphQLRequestError, MethodNotAllowedError
from schema.context import RequestContext
from schema.document.preparation import OperationNotFoundError
from schema.encoded import write_json
from schema.failure import Failure, describe_failures
from schema.schema import TransactionSchema

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """The parameters of a request (GraphQL over HTTP, section 4, and appendix A).

    Attributes:
        query: the document, if it was sent.
        document_id: the document's identifier, if it was sent.
        variables: their values by name.
        operation_name: which of the document's operations to run.
    """

    query: str | None
    document_id: str | None
    variables: dict[str, Any] | None
    operation_name: str | None


def read_parameters(given: dict[str, object]) -> GraphQLRequest:
    """Read a request's parameters; raises InvalidGraphQLRequestError, which names the faulty one."""
    query = given.get("query")
    variables, operation_name, extensions = (given.get(name) for name in ("variables", "operationName", "extensions"))
    if not isinstance(query, str | None):
        raise InvalidGraphQLRequestError("query is not a string; give a GraphQL document.")
    if not isinstance(variables, dict | None):
        raise InvalidGraphQLRequestError("variables is not an object; give one by the variables' names, or null.")
    if not isinstance(operation_name, str | None):
        raise InvalidGraphQLRequestError("operationName is not a string; give an operation's name, or null.")
    if not isinstance(extensions, dict | None):
        raise InvalidGraphQLRequestError("extensions is not an object; leave it out, or give null.")
    document_id = _read_document_id(given.get("documentId"), (extensions or {}).get("persistedQuery"))
    # Some clients send an empty query with the hash.
    query = query if query and query.strip() else None
    if query is None and document_id is None:
        raise InvalidGraphQLRequestError("query is missing or empty; give a GraphQL document, or a documentId.")
    return GraphQLRequest(query, document_id, variables, operation_name or None)


def _read_document_id(document_id: object, persisted_query: object) -> str | None:
    """Return a document's identifier: GraphQL over HTTP's parameter, or the hash in Apollo's extension."""
    if not isinstance(document_id, str | None):
        raise InvalidGraphQLRequestError("documentId is not a string; give a document's identifier, or null.")
    match persisted_query:
        case None:
            return document_id
        case {"version": 1, "sha256Hash": str(digest)} if document_id is None:
            return digest
    raise InvalidGraphQLRequestError(
        "extensions.persistedQuery is not understood; give version, 1, and sha256Hash, a string, without a documentId."
    )


class Operation:
    """An operation that a caller requests: it has one result, or many if it is a subscription."""

    def __init__(self, state: State, graphql_request: GraphQLRequest) -> None:
        """Look the document up; `state` is the application's.

        Raises:
            PersistedQueryNotFoundError, UntrustedDocumentError, InvalidGraphQLRequestError: see gateway/documents.py.
        """
        self._schema: TransactionSchema = state.schema
        self._documents: Documents = state.documents
        self._graphql_request = graphql_request
        self._text = self._documents.get_text(graphql_request.query, graphql_request.document_id)
        self.is_subscription = self._schema.is_subscription(self._text, graphql_request.operation_name)

    async def execute(self, context: RequestContext, allowed: Iterable[OperationType], way: str) -> ExecutionResult:
        """Execute an operation of one of the allowed types; `way` names its transport in the error.

        Raises:
            MethodNotAllowedError: the operation is of another type.
        """
        graphql_request = self._graphql_request
        try:
            result = await self._schema.execute(
                self._text,
                variable_values=graphql_request.variables,
                context_value=context,
                operation_name=graphql_request.operation_name,
                allowed_operation_types=allowed,
            )
        except CannotGetOperationTypeError:
            # A result, like validation errors: the request itself is well-formed.
            return build_failed_result(
                OperationNotFoundError(_describe_missing_operation(graphql_request.operation_name))
            )
        except InvalidOperationTypeError as error:
            kind = error.operation_type.value
            raise MethodNotAllowedError(f"A {kind} cannot be sent by {way}; send it by POST.", "POST") from None
        self._remember(result)
        return result

    async def subscribe(self, context: RequestContext) -> AsyncGenerator[ExecutionResult, None]:
        """Yield a subscription's results: an EventResult for each event; any other kind of result ends them."""
        graphql_request = self._graphql_request
        results = await self._schema.subscribe(
            self._text,
            variable_values=graphql_request.variables,
            context_value=context,
            operation_name=graphql_request.operation_name,
        )
        async with aclosing(results):
            async for result in results:
                self._remember(result)
                yield result

    def _remember(self, result: ExecutionResult) -> None:
        if self._graphql_request.document_id is not None and not isinstance(result, PreExecutionError):
            self._documents.remember(self._graphql_request.document_id, self._text)


def _describe_missing_operation(name: str | None) -> str:
    if name is None:
        return "The document holds no operation; send a query."
    return f"The document holds no operation {quote_value(name)}; name one that it holds in operationName."


@dataclass(frozen=True, slots=True)
class Answer:
    """A result as it is sent.

    Attributes:
        failures: what went wrong, in the result's order.
        body: the result's entries; without `data` if no field was executed.
    """

    failures: list[Failure]
    body: dict[str, object]

    def encode(self) -> bytes:
        """Encode the body as JSON."""
        # No number loses digits: custom scalars are strings, and GraphQL's Int has at most 32 bits.
        return write_json(self.body)


def build_answer(result: ExecutionResult, request_id: str) -> Answer:
    """Build the answer for the caller from a result; log unexpected errors."""
    failures = describe_failures(result)
    for failure in failures:
        if failure.unknown:
            logger.error("request %s failed", request_id, exc_info=failure.error.original_error or failure.error)
    body: dict[str, object] = {}
    if failures:
        body["errors"] = [_build_error(failure, request_id) for failure in failures]
    if result.data is not None or any(failure.error.path for failure in failures):
        body["data"] = result.data
    if result.extensions:
        body["extensions"] = result.extensions
    return Answer(failures, body)


def _build_error(failure: Failure, request_id: str) -> dict[str, object]:
    error = failure.error
    return {
        "message": failure.message,
        **({"locations": [place.formatted for place in error.locations]} if error.locations else {}),
        **({"path": error.path} if error.path else {}),
        "extensions": {"code": failure.code, "request_id": request_id},
    }


def build_failed_result(error: Exception) -> ExecutionResult:
    """Build the result of an operation that an error ended, or prevented from being executed."""
    return PreExecutionError(data=None, errors=[GraphQLError(str(error), original_error=error)])
