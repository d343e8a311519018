"""Runs the worker processes on one listening socket, and drains them when it stops.

It knows processes, signals and the port; it must not import the application, which only the workers need.
"""

import contextlib
import errno
import functools
import gc
import http.client
import logging
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import connection, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from database.errors import ConfigurationError, GatewayError
from gateway.scoreboard import Numbers, Scoreboard
from gateway.worker_folder import enter_worker_folder, open_worker_folder

if TYPE_CHECKING:
    from database.environment import DatabaseEnvironment
    from gateway.settings import Settings

_BACKLOG = 2048
_LAST_PORT = 65_535
# A worker that dies as soon as it starts must not be restarted in a hot loop.
RESTART_PAUSE_SECONDS = 1.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# Returning freed memory to the system and mapping it again page by page costs a tenth of each large response's time.
# In bytes: glibc itself raises the first to at most this value, and the second to at most twice it (mallopt(3)). Other
# C libraries ignore both.
_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "33554432", "MALLOC_TRIM_THRESHOLD_": "33554432"}

_spawn = multiprocessing.get_context("spawn")
logger = logging.getLogger(__name__)


class ServerStartError(GatewayError):
    """The workers cannot start; the reason is already on stderr."""

    code: ClassVar[str] = "SERVER_START"


def open_listener(host: str, port: int) -> socket.socket:
    """Bind the socket to serve on; it refuses connections until `serve` listens on it. Port 0 takes any free port.

    Raises:
        ConfigurationError: the port is taken or forbidden, or the host is not an address of this machine.
    """
    # Some systems allow binding a loopback address over another program's wildcard: try to connect before binding.
    if port and (occupant := _find_occupant(host, port)):
        raise _build_port_error(port, occupant)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    # A UnicodeError: a name that is too long, or has an empty label, fails before it is looked up.
    except (OSError, UnicodeError) as error:
        raise _build_host_error(host, error) from error
    # Without it, a restart would have to wait a minute until the system forgets the last run's connections.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise _build_port_error(port, "another program uses it") from error
        if error.errno == errno.EACCES:
            message = f"port {port} needs more rights than this user has; choose one above 1023, such as --port 5000"
            raise ConfigurationError(message) from error
        raise _build_host_error(host, error) from error
    return listener


def serve(
    settings: "Settings", environment: "DatabaseEnvironment", listener: socket.socket, *, on_ready: Callable[[], None]
) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP, then drain; a second signal ends the workers at once.

    `on_ready` is called once, when the first worker serves. Signals that arrive after this function returns are
    ignored, so that they cannot interrupt the caller's own cleanup.

    Raises:
        ConfigurationError: another program began to listen on the port after `open_listener`.
        ServerStartError: a worker ended before any served.
    """
    # Imported here so that other commands start faster.
    from gateway.log import configure_logging  # noqa: PLC0415

    configure_logging(settings.log_format, settings.log_level)
    try:
        listener.listen(_BACKLOG)
    except OSError as error:
        raise _build_port_error(listener.getsockname()[1], "another program has just taken it") from error
    stops = _receive_stop_signals()
    workers: list[_Worker] = []
    connections = _spawn.RawArray("i", settings.workers)
    with open_worker_folder() as folder:

        def start_worker(place: int, *, is_replacement: bool = False) -> None:
            connections[place] = 0
            context = WorkerContext(folder, connections, place, is_replacement)
            workers.append(_Worker.start(settings, environment, listener, context))

        try:
            for place in range(settings.workers):
                start_worker(place)
            _supervise(workers, stops, functools.partial(start_worker, is_replacement=True), on_ready)
        finally:
            # The workers hold the socket too, and close it when they stop: then the port refuses connections.
            listener.close()
            _stop(workers, stops, settings.stop_seconds)


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """What a worker gets from its parent: above all its place among the others, which its replacement inherits.

    Attributes:
        folder: the folder that all workers share (gateway/worker_folder.py).
        connections: the number of each worker's connections, by its place.
        place: the worker's number, from 0.
        is_replacement: whether another worker had this place before.
    """

    folder: Path
    connections: Numbers
    place: int
    is_replacement: bool


@dataclass
class _Worker:
    """A worker as its parent sees it. The pipe closes when either process ends, which informs the other."""

    process: SpawnProcess
    pipe: Connection
    place: int
    is_serving: bool = False

    @classmethod
    def start(
        cls, settings: "Settings", environment: "DatabaseEnvironment", listener: socket.socket, context: WorkerContext
    ) -> "_Worker":
        """Start a process; the password travels through the spawn's pipe, never by argument or environment variable."""
        pipe, child_pipe = _spawn.Pipe()
        arguments = (settings, environment, listener, child_pipe, context)
        process = _spawn.Process(target=_run_worker, args=arguments, name="worker")
        for name, value in _MEMORY.items():
            os.environ.setdefault(name, value)
        # The first spawn would start this helper too, and starting it unblocks the signals.
        resource_tracker.ensure_running()
        with _blocked_signals():
            process.start()
        child_pipe.close()
        return cls(process, pipe, context.place)


@contextlib.contextmanager
def _blocked_signals() -> Iterator[None]:
    """Block the stop signals for a child, which keeps the block: Ctrl-C reaches all, but only the parent acts on it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _receive_stop_signals() -> Connection:
    receiver, sender = _spawn.Pipe(duplex=False)

    def send(_number: int, _frame: object) -> None:
        sender.send_bytes(b"stop")

    for number in STOP_SIGNALS:
        # Under nohup SIGHUP is ignored, and must stay so.
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, send)
    return receiver


def _supervise(
    workers: list[_Worker], stops: Connection, replace: Callable[[int], None], on_ready: Callable[[], None]
) -> None:
    """Replace each worker that ends by one in its place, until a stop signal arrives."""
    is_announced = False
    while True:
        pipes = {worker.pipe: worker for worker in workers}
        readable = connection.wait([stops, *pipes])
        if stops in readable:
            stops.recv_bytes()
            return
        for worker in (pipes[pipe] for pipe in pipes if pipe in readable):
            if _reports_serving(worker):
                if not is_announced:
                    is_announced = True
                    on_ready()
                continue
            worker.process.join()
            if not is_announced:
                raise ServerStartError("the server could not start; the reason stands above")
            code = worker.process.exitcode
            logger.error("a worker ended (exit code %s); starting another", code)
            if not worker.is_serving and stops.poll(RESTART_PAUSE_SECONDS):
                continue
            worker.pipe.close()
            workers.remove(worker)
            replace(worker.place)


def _reports_serving(worker: _Worker) -> bool:
    try:
        worker.pipe.recv_bytes()
    except (EOFError, OSError):
        return False
    worker.is_serving = True
    return True


def _stop(workers: list[_Worker], stops: Connection, seconds: float) -> None:
    for worker in workers:
        worker.pipe.close()
    deadline = time.monotonic() + seconds
    running = {worker.process.sentinel: worker.process for worker in workers}
    while running:
        ended = connection.wait([stops, *running], timeout=max(0.0, deadline - time.monotonic()))
        if stops in ended or not ended:
            for process in running.values():
                process.kill()
            break
        for sentinel in ended:
            running.pop(sentinel)  # type: ignore[arg-type]  # wait() returns the objects it was given
    for worker in workers:
        worker.process.join()


def _run_worker(
    settings: "Settings",
    environment: "DatabaseEnvironment",
    listener: socket.socket,
    pipe: Connection,
    context: WorkerContext,
) -> None:
    enter_worker_folder(context.folder, context.place)
    # Enabled once the worker serves: objects made at startup stay, and scanning them takes a sixth of the startup time.
    gc.disable()
    # Imported here because only the workers need it: without it the command line starts in a fraction of the time.
    from gateway.worker import run_worker  # noqa: PLC0415

    scoreboard = Scoreboard(context.connections, context.place)
    run_worker(settings, environment, listener, pipe, scoreboard, is_replacement=context.is_replacement)


def _find_occupant(host: str, port: int) -> str | None:
    """Describe what already answers at this address; None if nothing does."""
    try:
        with socket.create_connection((host, port), timeout=1):
            pass
    except (OSError, UnicodeError):
        return None
    caller = http.client.HTTPConnection(host, port, timeout=1)
    try:
        # A gateway on loopback answers to no other name, such as 0.0.0.0 here.
        caller.request("GET", "/openapi.json", headers={"Host": "localhost"})
        is_gateway = b"ransactions gateway" in caller.getresponse().read(1000)
    except (OSError, http.client.HTTPException):
        is_gateway = False
    finally:
        caller.close()
    return "another gateway already answers there" if is_gateway else "another program answers there"


def _build_port_error(port: int, occupant: str) -> ConfigurationError:
    airplay = (
        " (on macOS often AirPlay: System Settings > General > AirDrop & Handoff)" if sys.platform == "darwin" else ""
    )
    finder = f"lsof -i :{port}" if sys.platform == "darwin" else f"ss -ltnp 'sport = :{port}'"
    remedy = f"See whose it is with `{finder}`, or choose another: --port {port + 1 if port < _LAST_PORT else port - 1}"
    message = f"port {port} is taken: {occupant}{airplay}. {remedy}"
    return ConfigurationError(message)


def _build_host_error(host: str, error: OSError | UnicodeError) -> ConfigurationError:
    reason = error.strerror if isinstance(error, OSError) else "not a name"
    message = f'host "{host}" cannot be served on ({reason}); use 127.0.0.1 for this machine alone, 0.0.0.0 for all'
    return ConfigurationError(message)
