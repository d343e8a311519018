"""One worker: a process with one event loop that serves the shared socket for as long as its parent wants it.

It must not handle signals: they are the parent's, and the line to it says when to stop.
"""

import contextlib
import logging
import os
import socket
import threading
import time
from multiprocessing.connection import Connection
from types import TracebackType

import uvicorn

from database.environment import DatabaseEnvironment
from gateway.app import create_app
from gateway.protocol import HttpProtocol
from gateway.server import BACKLOG, CLOSE_SECONDS
from gateway.settings import Settings

# A load balancer reuses connections that were idle for up to a minute (AWS's default): closing first loses requests.
KEEP_ALIVE_SECONDS = 75


def run_worker(settings: Settings, environment: DatabaseEnvironment, listener: socket.socket, line: Connection) -> None:
    """Serves until the line closes, then gives requests in flight `drain_seconds`. Says on the line when it serves."""
    _log_in_one_line()
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        # The connections inherit it: one whose client takes nothing of a whole answer is closed, and its memory freed.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, settings.request_timeout_ms)
    config = uvicorn.Config(
        create_app(settings, environment),
        loop="uvloop",
        http=HttpProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.drain_seconds,
    )
    server = _Server(config, line)
    threading.Thread(target=_stop_with_line, args=(server, settings.drain_seconds + CLOSE_SECONDS), daemon=True).start()
    server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """A uvicorn server that says when it serves."""

    def __init__(self, config: uvicorn.Config, line: Connection) -> None:
        super().__init__(config)
        self.line = line

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        with contextlib.suppress(OSError):  # the parent has ended meanwhile, and the line's watcher stops this server
            self.line.send_bytes(b"serving")


def _stop_with_line(server: _Server, seconds: float) -> None:
    """Waits for the end of the line: the parent closes it or dies, even by kill -9. A hung loop is not waited for."""
    with contextlib.suppress(EOFError, OSError):
        server.line.recv_bytes()
    server.should_exit = True
    time.sleep(seconds)
    os._exit(1)


class OneLineFormatter(logging.Formatter):
    """One line a record. An exception gives its type and place but not its text, which may quote a card number."""

    def format(self, record: logging.LogRecord) -> str:
        # Starlette logs the traceback of a failed start as a message; its last line is what happened.
        message = record.getMessage().strip().rpartition("\n")[2]
        if record.exc_info and (kind := record.exc_info[0]):
            message = f"{message}: {kind.__name__}{_find_place(record.exc_info[2])}"
        return f"gateway: {record.levelname.lower()}: {message}"


def _find_place(trace: TracebackType | None) -> str:
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


def _log_in_one_line() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(OneLineFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    # What fails in the application, gateway/request.py has logged with the request's id.
    logging.getLogger("uvicorn.error").addFilter(lambda record: not record.msg.startswith("Exception in ASGI"))
