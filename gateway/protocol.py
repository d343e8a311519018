"""uvicorn's HTTP protocol, with bounds on request heads, and with response bodies that HTTP/1.0 clients can read.

It stands between the socket and the application, and must not interpret what a request asks for.
"""

import asyncio
import contextlib
import re
import socket
import struct
from collections.abc import Callable
from typing import Any

from httptools import HttpParserError
from uvicorn import Config
from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, ASGISendEvent, HTTPScope, Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from gateway.joined_transport import JoinedTransport
from gateway.path import GRAPHQL_PATH

# Far above what browsers and proxies send.
MAX_HEAD_BYTES = 65_536
HEAD_SECONDS = 20

# Input that is not HTTP has no path from which to choose an error format: the response is plain text.
NOT_HTTP = (
    "This is not a readable HTTP/1.1 request. A request has the header Host, once. In its URL a space is written "
    "%20, a letter beyond ASCII by its bytes in UTF-8, such as %C3%A4, and all of it in 65535 characters."
)

# RFC 6455, section 4.1: 16 bytes as base64.
_SOCKET_KEY = re.compile(rb"[A-Za-z0-9+/]{22}==")

# SO_LINGER with a timeout of 0: closing drops unsent data and sends RST.
_NO_LINGER = struct.pack("ii", 1, 0)


class HttpProtocol(HttpToolsProtocol):
    """One connection. It is closed on a head of more than MAX_HEAD_BYTES, or one that takes longer than HEAD_SECONDS.

    Both bounds count from the end of the read that began the head: most heads arrive in one read and cost nothing here.
    MAX_HEAD_BYTES also bounds what arrives during a body without being part of it, such as the trailer after the last
    chunk, which the parser would buffer at any length.
    """

    _in_head = _in_body = _has_body = False
    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        refuse: Callable[[HTTPScope], bytes | None] = lambda _scope: None,
    ) -> None:
        """Serve one connection; a response that `refuse` returns is sent without calling the application."""
        super().__init__(config, server_state, app_state, _loop)
        self._refuse = refuse

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(JoinedTransport(transport, self.loop))
        # uvicorn bounds the wait for a second request, but would wait for the first byte of the first for ever.
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_head()
        super()._unset_keepalive_if_required()
        super().connection_lost(exc)

    def _unset_keepalive_if_required(self) -> None:
        """Keep the timer until the next head: line ends before it, or the rest of a body, are not a request."""

    def on_message_begin(self) -> None:
        super()._unset_keepalive_if_required()
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field of the head; drop trailer fields, which are not headers (RFC 9110, section 6.5.1)."""
        if self._in_head:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self._has_body, self._head_bytes = True, 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_body = False
        super().on_message_complete()

    def on_headers_complete(self) -> None:
        self._end_head()
        self._in_body, self._head_bytes = True, 0
        super()._unset_keepalive_if_required()
        # RFC 9112, section 3.2. An error raised here stops the parser, and uvicorn responds as to malformed HTTP.
        if self.parser.get_http_version() == "1.1" and [name for name, _ in self.headers].count(b"host") != 1:
            raise HttpParserError
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        message = self.scope
        self._has_body = False
        super().data_received(data)
        if self._in_body and not self._has_body and self.scope is message:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self.transport.close()
        if not self._in_head:
            return
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.close)
        if self.scope is message:
            self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            self._end_head()
            self.transport.write(STATUS_LINE[431] + b"connection: close\r\ncontent-length: 0\r\n\r\n")
            self.transport.close()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's message does not say what to correct
        super().send_400_response(NOT_HTTP)

    def _end_head(self) -> None:
        self._in_head = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _should_upgrade(self) -> bool:
        """Return whether a request opens a WebSocket that is served here; any other continues as HTTP."""
        given = dict(self.headers)
        before: RequestResponseCycle | None = self.cycle
        return (
            super()._should_upgrade()
            and self.scope["method"] == "GET"
            and self.url.partition(b"?")[0] == GRAPHQL_PATH.encode()
            and given.get(b"sec-websocket-version") == b"13"
            and _SOCKET_KEY.fullmatch(given.get(b"sec-websocket-key", b"")) is not None
            # An earlier response still under way would be written into the WebSocket's stream.
            and (before is None or before.response_complete)
        )

    def _unsupported_upgrade_warning(self) -> None:
        """Log nothing: a client that offers another protocol is served in HTTP/1.1 (RFC 9110, section 7.8)."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        if answer := self._refuse(cycle.scope):
            self.transport.write(answer)
            # uvicorn drops the body of a request whose response is complete.
            cycle.response_started = cycle.response_complete = True
            if self.flow.write_paused:
                # The client keeps sending requests without reading the responses.
                _reset(self.transport)
            elif not cycle.keep_alive:
                self.transport.close()
            if self.pipeline:
                # It starts the next pipelined request: called directly, it would recurse through all of them.
                self.loop.call_soon(cycle.on_response)
            else:
                cycle.on_response()
            return
        is_old = cycle.scope["http_version"] == "1.0"
        super()._start_asgi_task(cycle, _delimit_by_close(cycle, app) if is_old else _reset_slow_clients(cycle, app))


def _reset_slow_clients(cycle: RequestResponseCycle, app: ASGI3Application) -> ASGI3Application:
    """Reset the connection if a response fails while its client reads nothing: a normal close would wait for ever."""

    async def run(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        try:
            await app(scope, receive, send)
        except BaseException:
            if cycle.flow.write_paused:
                _reset(cycle.transport)
            raise

    return run


def _delimit_by_close(cycle: RequestResponseCycle, app: ASGI3Application) -> ASGI3Application:
    """End a body of unknown length by closing the connection: HTTP/1.0 has no chunks (RFC 9112, section 6.1)."""

    async def run(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        has_length = False

        async def send_plain(message: ASGISendEvent) -> None:
            nonlocal has_length
            if message["type"] == "http.response.start":
                has_length = any(name == b"content-length" for name, _ in message.get("headers", ()))
                cycle.chunked_encoding = None if has_length else False
            elif message["type"] == "http.response.body" and not has_length:
                # uvicorn checks each part against the remaining length.
                cycle.expected_content_length = len(message.get("body", b""))
            await send(message)

        try:
            await app(scope, receive, send_plain)
        except BaseException:
            # After an ordinary close, the part already sent would look like the whole body.
            _reset(cycle.transport)
            raise

    return run


def _reset(transport: asyncio.Transport) -> None:
    """Reset a connection (RST), which its client sees as an error, and drop all unsent data.

    `abort` alone drops only what this process holds: the system would still send its own buffer, then close normally.
    """
    with contextlib.suppress(OSError):  # the client has disconnected meanwhile
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()
