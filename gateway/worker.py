"""One worker: a process with one event loop that serves the shared socket for as long as its parent wants it.

It must not handle signals: they are the parent's, and the line to it says when to stop.
"""

import asyncio
import contextlib
import functools
import gc
import logging
import os
import socket
import threading
import time
from multiprocessing.connection import Connection

import uvicorn
from starlette.datastructures import State

from database.environment import DatabaseEnvironment
from gateway.acceptor import Acceptor
from gateway.app import create_app
from gateway.log import configure_logging
from gateway.metrics import WORKER_RESTARTS
from gateway.protocol import HttpProtocol
from gateway.refusal import Refusal
from gateway.scoreboard import Scoreboard
from gateway.settings import Settings
from gateway.websocket_protocol import SocketProtocol

# A load balancer reuses connections that were idle for up to a minute (AWS's default): closing first loses requests.
KEEP_ALIVE_SECONDS = 75
_DRAIN_PAUSE_SECONDS = 0.05
# Who has just been answered, or has just connected, may have the next request on its way.
_DRAIN_QUIET_LOOKS = 10
# The rows of a batch hold no cycles: counted by the default of 700, each list would have them looked at ten times.
_GARBAGE_THRESHOLD = 10_000


def run_worker(
    settings: Settings,
    environment: DatabaseEnvironment,
    listener: socket.socket,
    line: Connection,
    scoreboard: Scoreboard,
    *,
    is_replacement: bool,
) -> None:
    """Serve until the line closes, then give requests in flight `drain_seconds`; say on the line when it serves."""
    configure_logging(settings.log_format, settings.log_level)
    if is_replacement:
        WORKER_RESTARTS.inc()
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        # The connections inherit it: one whose client takes nothing of a whole answer is closed, and its memory freed.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, settings.request_timeout_ms)
    app = create_app(settings, environment)
    refusal = Refusal(app.state.admission, lambda: bool(app.state.is_draining))
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=functools.partial(HttpProtocol, refuse=refusal),  # type: ignore[arg-type]  # it is called
        ws=functools.partial(SocketProtocol, slow_seconds=settings.request_timeout_ms / 1000),  # type: ignore[arg-type]  # as above
        ws_max_size=settings.max_body_bytes,
        # Messages are small, and what compresses them would hold 40 KB for each client.
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    server = _Server(config, listener, line, scoreboard, app.state, settings.drain_seconds)
    threading.Thread(target=_stop_with_line, args=(server, settings.stop_seconds), daemon=True).start()
    # It accepts by itself.
    server.run(sockets=[])


class _Server(uvicorn.Server):
    """A uvicorn server that says when it serves, and answers on open connections as long as it drains."""

    def __init__(
        self,
        config: uvicorn.Config,
        listener: socket.socket,
        line: Connection,
        scoreboard: Scoreboard,
        state: State,
        drain_seconds: int,
    ) -> None:
        super().__init__(config)
        self.line = line
        self._listener = listener
        self._scoreboard = scoreboard
        self._state = state
        self._drain_seconds = drain_seconds
        self._acceptor: Acceptor | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._acceptor = Acceptor(self._listener, self._open_protocol, self.server_state.connections, self._scoreboard)
        # What is there now stays: a full collection that looked at it would stop the event loop for 100 ms.
        gc.freeze()
        gc.set_threshold(_GARBAGE_THRESHOLD)
        gc.enable()
        with contextlib.suppress(OSError):  # the parent has ended meanwhile, and the line's watcher stops this server
            self.line.send_bytes(b"serving")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Refuse new connections, finish what is in flight, then close the open connections.

        uvicorn would close those without a request first, and lose the requests that are on their way on them.
        """
        self._state.is_draining = True
        self._state.feed.stop()
        self._state.sockets.drain()
        if self._acceptor is not None:
            self._acceptor.close()
        self._listener.close()
        await self._drain(time.monotonic() + self._drain_seconds)
        # What is left has had its time; where nothing is, the open connections are closed in a moment.
        self.config.timeout_graceful_shutdown = 0 if self.server_state.tasks else 1
        await super().shutdown(sockets)

    async def _drain(self, deadline: float) -> None:
        """Wait until no connection is left, or none was used for a moment; each answer from now on ends its own."""
        state = self.server_state
        quiet, used = 0, state.total_requests
        while True:
            # Those that were just accepted are connections in a moment.
            await asyncio.sleep(_DRAIN_PAUSE_SECONDS)
            is_used = bool(state.tasks) or state.total_requests != used
            used = state.total_requests
            # Counted in looks, not in time: what came while this process itself had to wait is read after this look.
            quiet = 0 if is_used else quiet + 1
            if not state.connections or quiet >= _DRAIN_QUIET_LOOKS or time.monotonic() > deadline:
                return

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second, tell the others how many connections are left."""
        if self._acceptor is not None:
            self._acceptor.tell()
        return await super().on_tick(counter)

    def _open_protocol(self) -> asyncio.Protocol:
        protocol: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]  # as uvicorn's own
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return protocol


def _stop_with_line(server: _Server, seconds: float) -> None:
    """Wait for the end of the line: the parent closes it or dies, even by kill -9. A hung loop is not waited for."""
    with contextlib.suppress(EOFError, OSError):
        server.line.recv_bytes()
    server.should_exit = True
    time.sleep(seconds)
    os._exit(1)
