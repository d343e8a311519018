"""GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/): requests in, the schema's results out."""

from dataclasses import replace
from http import HTTPStatus

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from strawberry.types.execution import ExecutionResult
from strawberry.types.graphql import OperationType

from database.errors import quote_value
from gateway.errors import (
    BodyTooLargeError,
    InvalidGraphQLRequestError,
    NotAcceptableError,
    PersistedQueryNotFoundError,
    UnsupportedMediaTypeError,
)
from gateway.event_stream import SubscriptionResponse, build_event_response
from gateway.negotiation import choose_media_type
from gateway.openapi_operations import GRAPHQL_GET, GRAPHQL_POST
from gateway.operation import Operation, build_answer, build_failed_result, read_parameters
from gateway.pages import GRAPHIQL, build_page
from gateway.path import GRAPHQL_PATH
from gateway.problem_response import build_retry_headers
from gateway.problems import PROBLEMS
from gateway.request import get_context
from gateway.route import DirectRoute
from gateway.stream_response import EVENT_STREAM
from gateway.websocket import SUBPROTOCOL
from schema.failure import Failure

router = APIRouter(route_class=DirectRoute)

GRAPHQL_RESPONSE = "application/graphql-response+json"
# Clients without a preference get the first: they may be older than GraphQL's own media type.
_OFFERS = ("application/json", GRAPHQL_RESPONSE, EVENT_STREAM)
# The parameters that can name a document.
_DOCUMENT_PARAMETERS = frozenset({"query", "documentId", "extensions"})
_PARAMETERS = ("query", "documentId", "variables", "operationName", "extensions")
# Following a link must not run a mutation.
_ALLOWED = {"GET": OperationType.from_http("GET"), "POST": OperationType.from_http("POST")}
# From here on the status reports failures whatever the media type: proxies and retries rely on it.
_LOUD_STATUS = HTTPStatus.INTERNAL_SERVER_ERROR


@router.get(
    GRAPHQL_PATH, summary="GraphQL by GET, and GraphiQL for browsers", tags=["graphql"], openapi_extra=GRAPHQL_GET
)
async def answer_get(request: Request) -> Response:
    """Answer a query in the parameters `query` or `documentId`, and `variables`; a browser gets GraphiQL."""
    if _DOCUMENT_PARAMETERS.isdisjoint(request.query_params) and "text/html" in request.headers.get("accept", ""):
        page = build_page(request, GRAPHIQL)
        page.headers["Vary"] = "Accept"
        return page
    media_type = choose_media_type(request.headers.getlist("accept"), _OFFERS)
    for name in _PARAMETERS:
        if len(request.query_params.getlist(name)) > 1:
            raise InvalidGraphQLRequestError(f"{name} is given more than once; give it once.")
    parameters: dict[str, object] = dict(request.query_params)
    for name in ("variables", "extensions"):
        text = request.query_params.get(name)
        parameters[name] = _parse_json(text.encode(), name) if text else None
    return await _answer(request, parameters, media_type)


@router.post(GRAPHQL_PATH, summary="GraphQL", tags=["graphql"], openapi_extra=GRAPHQL_POST)
async def answer_post(request: Request) -> Response:
    """Answer a query in a JSON body with `query` or `documentId`, and `variables`."""
    media_type = choose_media_type(request.headers.getlist("accept"), _OFFERS)
    _check_content_type(request.headers.get("content-type", ""))
    _check_content_encoding(request.headers.get("content-encoding", "identity"))
    body = _parse_json(await _read_body(request), "The body")
    if not isinstance(body, dict):
        fault = "is an array; batches are not accepted" if isinstance(body, list) else "is not a JSON object"
        raise InvalidGraphQLRequestError(f"The body {fault}; send one object with a string `query` or `documentId`.")
    return await _answer(request, body, media_type)


async def _answer(request: Request, parameters: dict[str, object], media_type: str) -> Response:
    graphql_request = read_parameters(parameters)
    # Browsers reconnect with the id of the last event (HTML Standard, section 9.2).
    context = replace(
        get_context(request), encodes_rows=True, resume_after=request.headers.get("last-event-id") or None
    )
    try:
        operation = Operation(request.app.state, graphql_request)
    except PersistedQueryNotFoundError as error:
        # As a GraphQL result: to clients of automatic persisted queries it means "send the document", not a failure.
        return _build_response(request, build_failed_result(error), media_type)
    if operation.is_subscription:
        _check_accepts_events(request)
        return SubscriptionResponse(request, operation, context)
    result = await operation.execute(context, _ALLOWED[request.method], request.method)
    if media_type == EVENT_STREAM:
        return build_event_response(result, request)
    return _build_response(request, result, media_type)


def _check_accepts_events(request: Request) -> None:
    """Require the media type of events by name: a client that accepts any type does not expect an endless response."""
    accept = request.headers.getlist("accept")
    if not any(EVENT_STREAM in line.lower() for line in accept) or not choose_media_type(accept, (EVENT_STREAM,)):
        raise NotAcceptableError(
            f"A subscription has many results; accept {EVENT_STREAM}, or connect by WebSocket with the subprotocol "
            f"{SUBPROTOCOL}."
        )


def _build_response(request: Request, result: ExecutionResult, media_type: str) -> Response:
    answer = build_answer(result, request.state.request_id)
    if answer.failures:
        # For the log and the metrics.
        request.state.code = answer.failures[0].code
    status = _choose_status(result, answer.failures, media_type)
    return Response(answer.encode(), status, build_retry_headers(status), media_type=f"{media_type}; charset=utf-8")


def _choose_status(result: ExecutionResult, failures: list[Failure], media_type: str) -> int:
    """Return 200 with data; without data, the first failure's status, which application/json shows only from 500 on."""
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


def _check_content_encoding(header: str) -> None:
    if header.strip().lower() != "identity":
        raise UnsupportedMediaTypeError(
            f"Content-Encoding is {quote_value(header)}; send the body as it is, uncompressed."
        )


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
