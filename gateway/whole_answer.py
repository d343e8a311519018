"""Buffers a response until it is complete, for AWS Lambda, which takes it in one piece of limited size.

It must not begin a response that it cannot complete: one that is too large, or has no end, becomes an error.
"""

import json

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from database.errors import GatewayError
from gateway.errors import AnswerNotDeliverableError
from gateway.path import GRAPHQL_PATH

# The types that are handed to Lambda as text; others, and compressed bodies, are handed over in base64 (RFC 4648).
TEXT_TYPES = (
    "text/",
    "application/json",
    "application/problem+json",
    "application/graphql-response+json",
    "application/x-ndjson",
)
# The scope's key for the limit, in bytes of the JSON that contains the body.
MOST_BYTES = "gateway.most_bytes"
# The status and headers are in the same JSON.
_HEAD_BYTES = 16_384
# A row's size in the worst case, to suggest pages that surely fit; its longest value is the address.
_ROW_BYTES = 600


class WholeAnswerMiddleware:
    """Sends each response as a head and one body, or none of it.

    Raises:
        AnswerNotDeliverableError: the body is larger than the scope's limit, or it is a stream of events.
        GatewayError: an error that would have cut the response short.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(scope["path"], scope[MOST_BYTES])
        try:
            await self._app(scope, receive, answer.take)
        except Exception as error:
            # Starlette wraps an error that has a handler but is raised after the response has begun.
            if isinstance(error.__cause__, GatewayError):
                raise error.__cause__ from None
            raise
        if answer.head is None:  # the work was cancelled
            return
        await send(answer.head)
        # Servers drop the body of a response to HEAD; here there is no server.
        body = b"" if scope["state"]["is_head"] else b"".join(answer.parts)
        await send({"type": "http.response.body", "body": body})


class _Answer:
    """A response that is being collected."""

    def __init__(self, path: str, most_bytes: int) -> None:
        self.head: Message | None = None
        self.parts: list[bytes] = []
        self._path = path
        self._most_bytes = most_bytes
        self._bytes = _HEAD_BYTES
        self._is_text = False

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.head = message
            headers = Headers(raw=message["headers"])
            media_type = headers.get("content-type", "")
            if media_type.startswith("text/event-stream") and "content-length" not in headers:
                raise AnswerNotDeliverableError(
                    "Events cannot be streamed on AWS Lambda; use a gateway that runs as a server, or ask for pages "
                    f"of {_name_list(self._path)} repeatedly."
                )
            self._is_text = "content-encoding" not in headers and media_type.startswith(TEXT_TYPES)
            return
        part = message.get("body", b"")
        self._bytes += _measure(part, is_text=self._is_text)
        if self._bytes > self._most_bytes:
            raise AnswerNotDeliverableError(_describe_too_large(self._path, self._most_bytes))
        self.parts.append(part)


def _measure(part: bytes, *, is_text: bool) -> int:
    """Return how many bytes a part of a body takes in JSON; a character split between two parts counts in both."""
    # The client of Lambda's runtime writes only ASCII, as json does: any other character takes six or twelve bytes.
    return len(json.dumps(part.decode("utf-8", "replace"))) if is_text else -(-len(part) // 3) * 4


def _name_list(path: str) -> str:
    return "`transactions`" if path == GRAPHQL_PATH else "/transactions/{days}"


def _describe_too_large(path: str, most_bytes: int) -> str:
    rows = min(10_000, most_bytes // _ROW_BYTES // 1_000 * 1_000)
    how = (
        f"with `first: {rows}`, then again with `after` as `pageInfo.endCursor` gives it"
        if path == GRAPHQL_PATH
        else f"with `limit={rows}`, then with `after` as the Link header gives it"
    )
    return (
        f"The answer is larger than the {most_bytes} bytes that can be delivered in one piece here; ask for pages: "
        f"{how}. `Accept-Encoding: gzip` makes answers about a quarter as large."
    )
