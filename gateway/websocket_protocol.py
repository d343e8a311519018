"""uvicorn's WebSocket protocol (RFC 6455), with bounds on what is buffered for a client.

It stands between the socket and the application, and must not interpret messages.
"""

import asyncio
from typing import Any

from uvicorn import Config
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import STATUS_LINE
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import CloseCode, Frame

# Per message: the limit on a message's bytes does not bound empty fragments.
_MOST_FRAGMENTS = 1_000


class SocketProtocol(WebSocketsSansIOProtocol):
    """One connection. It is aborted when its client reads nothing of what is sent for some time."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        slow_seconds: float,
    ) -> None:
        """Serve one connection, whose client may read nothing for at most `slow_seconds`."""
        super().__init__(config, server_state, app_state, _loop)
        self._slow_seconds = slow_seconds
        self._slow_timer: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_slow_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self.handshake_initiated:
            # httptools accepts heads that websockets rejects, such as one with a very long line.
            self.transport.write(STATUS_LINE[400] + b"connection: close\r\ncontent-length: 0\r\n\r\n")
            self.transport.close()

    async def send(self, message: ASGISendEvent) -> None:
        if self.handshake_complete and self.close_sent:
            # The client's close may have been answered before all its earlier messages were handled.
            raise ClientDisconnected
        await super().send(message)
        if self.close_sent:
            # After a response that rejects the handshake, uvicorn would report it as never completed.
            self.handshake_complete = True

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._slow_timer is None:
            self._slow_timer = self.loop.call_later(self._slow_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        self._cancel_slow_timer()
        super().resume_writing()

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) >= _MOST_FRAGMENTS:
            self.transport.abort()
        else:
            super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and not self.close_sent and not _is_text(b"".join(self.frames)):
            # uvicorn would log this as an error of its own.
            self.frames = []
            self.conn.fail(CloseCode.INVALID_DATA)
            self.handle_parser_exception()
        else:
            super().send_receive_event_to_app()

    def handle_ping(self) -> None:
        super().handle_ping()
        if not self.writable.is_set():
            # The client keeps sending pings without reading the pongs.
            self.transport.abort()

    def _cancel_slow_timer(self) -> None:
        if self._slow_timer is not None:
            self._slow_timer.cancel()
            self._slow_timer = None


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
