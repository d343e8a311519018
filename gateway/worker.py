"""One worker: a process with one event loop that serves the shared socket until its parent stops it.

It must not handle signals: the parent does, and closes the pipe to the worker to stop it.
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

# Load balancers reuse connections that were idle for up to a minute (AWS's default): closing earlier loses requests.
KEEP_ALIVE_SECONDS = 75
_DRAIN_PAUSE_SECONDS = 0.05
# A client that has just received a response, or has just connected, may have its next request on the way.
_DRAIN_QUIET_CHECKS = 10
# The rows of a batch contain no cycles: with the default of 700, they would be scanned ten times for each list.
_GARBAGE_THRESHOLD = 10_000


def run_worker(
    settings: Settings,
    environment: DatabaseEnvironment,
    listener: socket.socket,
    pipe: Connection,
    scoreboard: Scoreboard,
    *,
    is_replacement: bool,
) -> None:
    """Serve until the pipe closes, then give requests in flight `drain_seconds`; report on the pipe when serving."""
    configure_logging(settings.log_format, settings.log_level)
    if is_replacement:
        WORKER_RESTARTS.inc()
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        # Connections inherit it: one whose client takes nothing of a complete response is closed, freeing its memory.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, settings.request_timeout_ms)
    app = create_app(settings, environment)
    refusal = Refusal(app.state.admission, lambda: bool(app.state.is_draining))
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=functools.partial(HttpProtocol, refuse=refusal),  # type: ignore[arg-type]  # uvicorn only calls it
        ws=functools.partial(SocketProtocol, slow_seconds=settings.request_timeout_ms / 1000),  # type: ignore[arg-type]  # as above
        ws_max_size=settings.max_body_bytes,
        # Messages are small, and compression would hold 40 KB per client.
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
    server = _Server(config, listener, pipe, scoreboard, app.state, settings.drain_seconds)
    threading.Thread(target=_stop_with_parent, args=(server, settings.stop_seconds), daemon=True).start()
    # No sockets: gateway/acceptor.py accepts the connections.
    server.run(sockets=[])


class _Server(uvicorn.Server):
    """A uvicorn server that reports when it serves, and keeps serving open connections while it drains."""

    def __init__(
        self,
        config: uvicorn.Config,
        listener: socket.socket,
        pipe: Connection,
        scoreboard: Scoreboard,
        state: State,
        drain_seconds: int,
    ) -> None:
        super().__init__(config)
        self.pipe = pipe
        self._listener = listener
        self._scoreboard = scoreboard
        self._state = state
        self._drain_seconds = drain_seconds
        self._acceptor: Acceptor | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._acceptor = Acceptor(self._listener, self._open_protocol, self.server_state.connections, self._scoreboard)
        # Objects made until now stay: a full collection that scanned them would stop the event loop for 100 ms.
        gc.freeze()
        gc.set_threshold(_GARBAGE_THRESHOLD)
        gc.enable()
        with contextlib.suppress(OSError):  # the parent has ended, and _stop_with_parent stops this server
            self.pipe.send_bytes(b"serving")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Refuse new connections, finish what is in flight, then close the open connections.

        uvicorn would close idle connections first, and lose requests that are already on their way.
        """
        self._state.is_draining = True
        self._state.feed.stop()
        self._state.sockets.drain()
        if self._acceptor is not None:
            self._acceptor.close()
        self._listener.close()
        await self._drain(time.monotonic() + self._drain_seconds)
        # Requests still in flight have had their time; if there are none, closing the connections takes a moment.
        self.config.timeout_graceful_shutdown = 0 if self.server_state.tasks else 1
        await super().shutdown(sockets)

    async def _drain(self, deadline: float) -> None:
        """Wait until no connection is left, or none was used for a moment; each response now closes its connection."""
        state = self.server_state
        quiet, used = 0, state.total_requests
        while True:
            # Sockets that were just accepted become connections in a moment.
            await asyncio.sleep(_DRAIN_PAUSE_SECONDS)
            is_used = bool(state.tasks) or state.total_requests != used
            used = state.total_requests
            # Counted in iterations, not in time: data that arrived while this process stalled is read after this one.
            quiet = 0 if is_used else quiet + 1
            if not state.connections or quiet >= _DRAIN_QUIET_CHECKS or time.monotonic() > deadline:
                return

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second, publish this worker's number of connections to the other workers."""
        if self._acceptor is not None:
            self._acceptor.publish()
        return await super().on_tick(counter)

    def _open_protocol(self) -> asyncio.Protocol:
        protocol: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]  # as uvicorn's own
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return protocol


def _stop_with_parent(server: _Server, seconds: float) -> None:
    """Stop when the pipe ends: the parent closes it or dies, even by kill -9. After `seconds`, kill a hung worker."""
    with contextlib.suppress(EOFError, OSError):
        server.pipe.recv_bytes()
    server.should_exit = True
    time.sleep(seconds)
    os._exit(1)
