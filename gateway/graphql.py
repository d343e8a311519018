"""GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/): requests in, the schema's results out."""

import logging
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response
from graphql import GraphQLError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.execution import ExecutionResult, PreExecutionError
from strawberry.types.graphql import OperationType

from database.errors import quote_value
from gateway.accept import choose_media_type
from gateway.documents import Documents
from gateway.errors import (
    BodyTooLargeError,
    InvalidGraphQLRequestError,
    MethodNotAllowedError,
    PersistedQueryNotFoundError,
    UnsupportedMediaTypeError,
)
from gateway.openapi import GRAPHQL_GET, GRAPHQL_POST
from gateway.problem_response import build_retry_headers
from gateway.problems import GRAPHQL_PATH, PROBLEMS
from gateway.request import get_context
from gateway.route import DirectRoute
from schema.extensions.document import OperationNotFoundError
from schema.extensions.rows import RowBudget
from schema.failure import Failure, describe_failures

router = APIRouter(route_class=DirectRoute)
logger = logging.getLogger(__name__)

GRAPHQL_RESPONSE = "application/graphql-response+json"
# Listed first is what clients that name no preference get: they may be older than the media type of its own.
_OFFERS = ("application/json", GRAPHQL_RESPONSE)
_PAGE = Path(__file__).parent / "static" / "graphiql" / "index.html"
_PAGE_HEADERS = {
    # Monaco, GraphiQL's editor, writes styles and carries its font in the style sheet.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; worker-src 'self'; "
    "style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
    "Vary": "Accept",
}
# Where a document may be asked for.
_DOCUMENT_PARAMETERS = frozenset({"query", "documentId", "extensions"})
# A mutation must not be sent by a link.
_ALLOWED = {"GET": OperationType.from_http("GET"), "POST": OperationType.from_http("POST")}
# Failures of the database are told by the status too, whatever the media type: proxies and retries look there.
_LOUD_STATUS = HTTPStatus.INTERNAL_SERVER_ERROR


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """The parameters of a request (GraphQL over HTTP, section 4, and appendix A).

    Attributes:
        query: the document, unless `document_id` stands for it.
        document_id: what the document is known by, if that was said.
        variables: their values by name.
        operation_name: which of the document's operations is asked.
    """

    query: str | None
    document_id: str | None
    variables: dict[str, Any] | None
    operation_name: str | None


@router.get(
    GRAPHQL_PATH, summary="GraphQL by GET, and GraphiQL for browsers", tags=["graphql"], openapi_extra=GRAPHQL_GET
)
async def answer_get(request: Request) -> Response:
    """Answer a query in the parameters `query` or `documentId`, and `variables`; a browser gets GraphiQL."""
    if _DOCUMENT_PARAMETERS.isdisjoint(request.query_params) and "text/html" in request.headers.get("accept", ""):
        return FileResponse(_PAGE, headers=_PAGE_HEADERS)
    media_type = choose_media_type(request.headers.getlist("accept"), _OFFERS)
    parameters: dict[str, object] = dict(request.query_params)
    for name in ("variables", "extensions"):
        text = request.query_params.get(name)
        parameters[name] = _parse_json(text.encode(), name) if text else None
    return await _answer(request, _read_parameters(parameters), media_type)


@router.post(GRAPHQL_PATH, summary="GraphQL", tags=["graphql"], openapi_extra=GRAPHQL_POST)
async def answer_post(request: Request) -> Response:
    """Answer a query in a JSON body with `query` or `documentId`, and `variables`."""
    media_type = choose_media_type(request.headers.getlist("accept"), _OFFERS)
    _check_content_type(request.headers.get("content-type", ""))
    body = _parse_json(await _read_body(request), "The body")
    if not isinstance(body, dict):
        raise InvalidGraphQLRequestError(
            "The body is not a JSON object; send one with a string `query` or `documentId`."
        )
    return await _answer(request, _read_parameters(body), media_type)


async def _answer(request: Request, asked: GraphQLRequest, media_type: str) -> Response:
    documents: Documents = request.app.state.documents
    try:
        text = documents.get_text(asked.query, asked.document_id)
        result = await request.app.state.schema.execute(
            text,
            variable_values=asked.variables,
            context_value=replace(
                get_context(request), budget=RowBudget(request.app.state.settings.limits.rows), encodes_rows=True
            ),
            operation_name=asked.operation_name,
            allowed_operation_types=_ALLOWED[request.method],
        )
    except PersistedQueryNotFoundError as error:
        # As a result, with its status: clients of automatic persisted queries take it for a question, not a failure.
        result = PreExecutionError(data=None, errors=[GraphQLError(str(error), original_error=error)])
        return _build_response(request, result, media_type)
    except CannotGetOperationTypeError:
        raise OperationNotFoundError(_describe_missing_operation(asked.operation_name)) from None
    except InvalidOperationTypeError as error:
        kind = error.operation_type.value
        raise MethodNotAllowedError(f"A {kind} cannot be sent by {request.method}; send it by POST.") from None
    if asked.document_id is not None and not isinstance(result, PreExecutionError):
        documents.remember(asked.document_id, text)
    return _build_response(request, result, media_type)


def _build_response(request: Request, result: ExecutionResult, media_type: str) -> Response:
    failures = describe_failures(result)
    request_id: str = request.state.request_id
    for failure in failures:
        if failure.unknown:
            logger.error("request %s failed", request_id, exc_info=failure.error.original_error or failure.error)
    body: dict[str, object] = {}
    if failures:
        # For the log and the counts.
        request.state.code = failures[0].code
        body["errors"] = [_build_error(failure, request_id) for failure in failures]
    if result.data is not None or any(failure.error.path for failure in failures):
        body["data"] = result.data
    status = _choose_status(result, failures, media_type)
    # The scalars give strings, and counts may pass 53 bits only where GraphQL's Int has refused them.
    return Response(orjson.dumps(body), status, build_retry_headers(status), media_type=f"{media_type}; charset=utf-8")


def _build_error(failure: Failure, request_id: str) -> dict[str, object]:
    error = failure.error
    return {
        "message": failure.message,
        **({"locations": [place.formatted for place in error.locations]} if error.locations else {}),
        **({"path": error.path} if error.path else {}),
        "extensions": {"code": failure.code, "request_id": request_id},
    }


def _choose_status(result: ExecutionResult, failures: list[Failure], media_type: str) -> int:
    """200 with data; without any, the first failure's status, which application/json only shows from 500 on."""
    if result.data is not None or not failures:
        return HTTPStatus.OK
    status = PROBLEMS[failures[0].code].status
    return status if media_type == GRAPHQL_RESPONSE or status >= _LOUD_STATUS else HTTPStatus.OK


def _check_content_type(header: str) -> None:
    media_type, *parameters = (part.strip().lower() for part in header.split(";"))
    charsets = [value.removeprefix("charset=").strip('"') for value in parameters if value.startswith("charset=")]
    if media_type != "application/json" or any(charset not in {"utf-8", "utf8"} for charset in charsets):
        fault = f"is {quote_value(header)}" if header else "is missing"
        raise UnsupportedMediaTypeError(f"Content-Type {fault}; send JSON as application/json, in UTF-8.")


async def _read_body(request: Request) -> bytes:
    most: int = request.app.state.settings.max_body_bytes
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise BodyTooLargeError(f"The body has more than {most} bytes; send a shorter document or fewer variables.")
    return bytes(body)


def _parse_json(text: bytes, name: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidGraphQLRequestError(f"{name} is not JSON: {error}.") from None


def _read_parameters(given: dict[str, object]) -> GraphQLRequest:
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
    # Some clients send an empty text beside the hash.
    query = query if query and query.strip() else None
    if query is None and document_id is None:
        raise InvalidGraphQLRequestError("query is missing or empty; give a GraphQL document, or a documentId.")
    return GraphQLRequest(query, document_id, variables, operation_name or None)


def _read_document_id(document_id: object, persisted_query: object) -> str | None:
    """Give what a document is known by: GraphQL over HTTP's parameter, or the hash of Apollo's extension."""
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


def _describe_missing_operation(name: str | None) -> str:
    if name is None:
        return "The document holds no operation; send a query."
    return f"The document holds no operation {quote_value(name)}; name one that it holds in operationName."
