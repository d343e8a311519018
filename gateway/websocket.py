"""GraphQL by WebSocket: graphql-transport-ws (github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md).

It transports messages; gateway/websocket_operation.py runs the operations, and gateway/authentication.py identifies
callers.
"""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import Any, NamedTuple

import orjson
from starlette.datastructures import State
from starlette.routing import WebSocketRoute
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.utils import ClientDisconnected

from database.errors import GatewayError, hide_secrets
from gateway.authentication import RECHECK_SECONDS, check_caller
from gateway.caller import Caller
from gateway.errors import (
    AuthenticationUnavailableError,
    DrainingError,
    InvalidGraphQLRequestError,
    TooManyRequestsError,
)
from gateway.operation import read_parameters
from gateway.path import GRAPHQL_PATH
from gateway.websocket_operation import SocketOperation

SUBPROTOCOL = "graphql-transport-ws"
# A page may request credentials from its user, or from an issuer, after it has opened the socket.
_INIT_SECONDS = 10
_MOST_OPERATIONS = 100
_CREDENTIALS = frozenset({"authorization", "x-api-key"})
# RFC 6455, section 5.5: a control frame holds 125 bytes, two of them the code.
_MOST_REASON_BYTES = 123

# Close codes: those from 4400 on are the protocol's, the others are in IANA's registry.
_TRY_AGAIN_LATER = 1013
_SERVICE_RESTART = 1012
_BAD_MESSAGE = 4400
_UNAUTHORIZED = 4401
_FORBIDDEN = 4403
_INIT_TIMEOUT = 4408
_DUPLICATE_ID = 4409
_SECOND_INIT = 4429


class BadMessageError(Exception):
    """A message breaks the protocol; the text says how."""


class Sockets:
    """The open sockets of one worker."""

    def __init__(self) -> None:
        self.open: set[Socket] = set()

    def drain(self) -> None:
        """Make all clients reconnect elsewhere: close each socket as soon as its queries are answered."""
        for socket in self.open:
            socket.drain()


class _Running(NamedTuple):
    operation: SocketOperation
    task: asyncio.Task[None]


class Socket:
    """One connection, from its handshake on. Its messages are handled in order, its operations run concurrently."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection as its ASGI application; awaiting it returns when the connection has ended."""
        self._scope = scope
        self._receive = receive
        self._send = send
        self._app: State = scope["app"].state
        # A scope with the caller's credentials, for gateway/authentication.py; None until `connection_init`.
        self._identity: Scope | None = None
        self._caller: Caller | None = None
        self._operations: dict[str, _Running] = {}
        self._is_draining = self._is_closed = False
        self._timer: asyncio.TimerHandle | None = None
        # The task that a timer started.
        self._task: asyncio.Task[None] | None = None

    def __await__(self) -> Generator[Any, None, None]:
        return self._run().__await__()

    async def _run(self) -> None:
        await self._receive()
        if self._app.is_draining:
            raise DrainingError("The gateway is stopping; connect to another instance.")
        if SUBPROTOCOL not in self._scope["subprotocols"]:
            raise InvalidGraphQLRequestError(
                f"Sec-WebSocket-Protocol does not offer {SUBPROTOCOL}, the only subprotocol that is spoken here; the "
                "older graphql-ws is not."
            )
        await self._send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
        self._scope["state"]["observation"].note_stream()
        self._app.sockets.open.add(self)
        self._close_later(_INIT_SECONDS, _INIT_TIMEOUT, "Connection initialisation timeout")
        try:
            while (message := await self._receive())["type"] == "websocket.receive":
                await self._take(message.get("text"))
        except ClientDisconnected:
            pass
        finally:
            self._app.sockets.open.discard(self)
            if self._timer:
                self._timer.cancel()
            tasks = [*(running.task for running in self._operations.values()), *([self._task] if self._task else [])]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def drain(self) -> None:
        """Close as soon as the queries received so far are answered."""
        self._is_draining = True
        operations = list(self._operations.values())
        for operation, task in operations:
            # A client that receives no `complete` resumes its subscription elsewhere.
            if not operation.is_query:
                task.cancel()
        if not any(operation.is_query for operation, _ in operations):
            self._close_later(0, _SERVICE_RESTART, "The gateway is stopping; connect to another instance.")

    async def _take(self, text: str | None) -> None:
        """Handle a message; one that breaks the protocol closes the socket."""
        if self._is_closed:
            return
        try:
            await self._handle_message(_parse(text))
        except BadMessageError as error:
            await self._close(_BAD_MESSAGE, str(error))

    async def _handle_message(self, message: object) -> None:
        match message:
            case {"type": "connection_init", **rest}:
                await self._init(rest.get("payload"))
            case {"type": "subscribe", "id": str(identifier), "payload": dict(payload)}:
                await self._begin(identifier, payload)
            case {"type": "complete", "id": str(identifier)}:
                if running := self._operations.pop(identifier, None):
                    running.task.cancel()
            case {"type": "ping"}:
                await self._send_message({"type": "pong"})
            case {"type": "pong"}:
                pass
            case _:
                raise BadMessageError("A message is not one of the protocol's.")

    async def _init(self, payload: object) -> None:
        if not isinstance(payload, dict | None):
            raise BadMessageError("The payload of connection_init is not an object.")
        if self._identity is not None:
            await self._close(_SECOND_INIT, "Too many initialisation requests")
            return
        if self._timer:
            self._timer.cancel()
        self._identity = {**self._scope, "headers": _list_credentials(self._scope, payload or {})}
        try:
            self._caller = await self._scope["state"]["identify"](self._identity)
        except GatewayError as error:
            is_passing = isinstance(error, AuthenticationUnavailableError | TooManyRequestsError)
            await self._close(_TRY_AGAIN_LATER if is_passing else _FORBIDDEN, str(error))
            return
        self._scope["state"]["caller"] = self._caller
        self._check_later()
        await self._send_message({"type": "connection_ack"})

    def _check_later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(RECHECK_SECONDS, self._start, self._check_caller)

    async def _check_caller(self) -> None:
        """Close the socket if the credentials no longer identify the same caller with the same scopes."""
        try:
            await check_caller(self._identity or self._scope)
        except GatewayError:
            await self._close(_FORBIDDEN, "The credentials are no longer valid; connect again with others.")
        else:
            self._check_later()

    async def _begin(self, identifier: str, payload: dict[str, object]) -> None:
        if self._caller is None:
            await self._close(_UNAUTHORIZED, "Unauthorized")
            return
        if identifier in self._operations:
            await self._close(_DUPLICATE_ID, f"Subscriber for {identifier} already exists")
            return
        try:
            graphql_request = read_parameters(payload)
        except InvalidGraphQLRequestError as error:
            raise BadMessageError(str(error)) from None
        operation = SocketOperation(self._scope, identifier, graphql_request, self._write)
        if len(self._operations) >= _MOST_OPERATIONS:
            refusal = TooManyRequestsError(f"At most {_MOST_OPERATIONS} operations run on one socket.", 1)
            await operation.refuse(refusal)
            return
        before = [running.operation.opened for running in self._operations.values()]
        task = asyncio.create_task(self._answer(identifier, operation, before))
        # A client may cancel it before it starts: later queries must not wait for it.
        task.add_done_callback(lambda _: operation.opened.set())
        self._operations[identifier] = _Running(operation, task)

    async def _answer(self, identifier: str, operation: SocketOperation, before: list[asyncio.Event]) -> None:
        await operation.run(before)
        # Not before: responses that wait for a client that does not read count towards _MOST_OPERATIONS.
        self._operations.pop(identifier, None)
        if self._is_draining:
            self.drain()

    async def _send_message(self, message: dict[str, object]) -> None:
        await self._write(orjson.dumps(message))

    async def _write(self, text: bytes) -> None:
        if not self._is_closed:
            await self._send({"type": "websocket.send", "text": text.decode()})

    async def _close(self, code: int, reason: str) -> None:
        if not self._is_closed:
            self._is_closed = True
            await self._send({"type": "websocket.close", "code": code, "reason": _truncate(hide_secrets(reason))})

    def _close_later(self, seconds: float, code: int, reason: str) -> None:
        if self._timer:
            self._timer.cancel()
        close = partial(self._close, code, reason)
        self._timer = asyncio.get_running_loop().call_later(seconds, self._start, close)

    def _start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        # Draining may close the socket while the caller is being checked.
        if self._task:
            self._task.cancel()
        self._task = asyncio.create_task(work())


def _parse(text: str | None) -> object:
    if text is None:
        raise BadMessageError("A message is not text.")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadMessageError("A message is not JSON.") from None


def _list_credentials(scope: Scope, payload: dict[str, object]) -> list[tuple[bytes, bytes]]:
    """Return the credentials in the handshake and in the payload, as headers."""
    in_headers = [(name, value) for name, value in scope["headers"] if name.decode("latin-1") in _CREDENTIALS]
    return in_headers + [
        # A value that is not a string is no credential, and may nest deeper than `str` can convert.
        (name.lower().encode(), value.encode() if isinstance(value, str) else b"")
        for name, value in payload.items()
        if name.lower() in _CREDENTIALS
    ]


def _truncate(reason: str) -> str:
    return reason.encode()[:_MOST_REASON_BYTES].decode(errors="ignore")


route = WebSocketRoute(GRAPHQL_PATH, Socket)
