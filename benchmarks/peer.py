"""The programs that are compared: how each is started with a number of workers, and which dialect it speaks."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.node import Node
from benchmarks.question import EVE, GATEWAY, GRAPHQL, REST, REST_AND_GRAPHQL, Dialect
from database.environment import DatabaseEnvironment
from gateway.variable import PREFIX, VARIABLES
from tests.process import run_gateway
from tests.waiting import find_free_port, wait_until

_ROOT = Path(__file__).parents[1]
_STOP_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Peer:
    """A running program: its name, its URL, and the dialect it speaks."""

    name: str
    url: str
    dialect: Dialect


@dataclass(frozen=True, slots=True)
class _Program:
    """A peer that can be started.

    Attributes:
        module: in benchmarks.peers, or in benchmarks/peers/node if it needs Node.
        server: gunicorn, uvicorn, flask (its development server: one process, one thread per request) or node.
    """

    dialect: Dialect
    module: str
    server: str


OURS = "gateway"
FLASK, FLASK_RUN = "Flask, gunicorn", "Flask, `flask run`"
STRAWBERRY, EVE_ITSELF = "FastAPI + Strawberry", "Eve"
HELLO = "uvicorn, shared `hello`"
APOLLO, YOGA, MERCURIUS = "Apollo Server", "GraphQL Yoga", "Mercurius JIT"
_PROGRAMS = {
    FLASK: _Program(REST, "flask_app", "gunicorn"),
    FLASK_RUN: _Program(REST, "flask_app", "flask"),
    STRAWBERRY: _Program(REST_AND_GRAPHQL, "strawberry_app", "uvicorn"),
    EVE_ITSELF: _Program(EVE, "eve_app", "gunicorn"),
    HELLO: _Program(REST, "hello_app", "uvicorn"),
    APOLLO: _Program(GRAPHQL, "apollo", "node"),
    YOGA: _Program(GRAPHQL, "yoga", "node"),
    MERCURIUS: _Program(REST_AND_GRAPHQL, "mercurius", "node"),
}
PEERS = tuple(_PROGRAMS)
NEED_NODE = frozenset(name for name, program in _PROGRAMS.items() if program.server == "node")


# No log line for each request, as with the other programs.
_SETTINGS = {"GATEWAY_LOG_LEVEL": "error"}


def describe_settings() -> str:
    """Return the gateway's explicit settings, including the user's own; secret values are left out."""
    secret = {variable.name for variable in VARIABLES if variable.is_secret}
    given = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)} | _SETTINGS
    return ", ".join(name if name in secret else f"{name}={value}" for name, value in sorted(given.items()))


@contextmanager
def run_peer(
    name: str, environment: DatabaseEnvironment, folder: Path, workers: int, node: Node | None = None
) -> Iterator[Peer]:
    """Serve the database with one of PEERS or the gateway until the block ends; peers in NEED_NODE require `node`."""
    if name == OURS:
        with run_gateway(environment, find_free_port(), folder, workers, **_SETTINGS) as gateway:
            yield Peer(name, gateway.url, GATEWAY)
        return
    program, port = _PROGRAMS[name], find_free_port()
    log_path = folder / f"{program.module}.{program.server}.log"
    with (
        log_path.open("wb") as log,
        subprocess.Popen(  # noqa: S603 (our own command)
            _build_command(program, port, workers, node),
            cwd=node.folder if node and program.server == "node" else _ROOT,
            env={
                **os.environ,
                "MONGO_URI": environment.connection_uri,
                "NODE_ENV": "production",
                "PORT": str(port),
                "WORKERS": str(workers),
            },
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as process,
    ):
        try:
            wait_until(lambda: _is_listening(port, process, log_path), name)
            yield Peer(name, f"http://127.0.0.1:{port}", program.dialect)
        finally:
            # The whole group: Node's cluster primary ends without waiting for its workers. The group may have ended.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(_STOP_SECONDS)


def _build_command(program: _Program, port: int, workers: int, node: Node | None) -> list[str]:
    script = str(Path(sys.executable).with_name(program.server))
    application = f"benchmarks.peers.{program.module}:app"
    if program.server == "gunicorn":
        bind = ["--bind", f"127.0.0.1:{port}", "--workers", str(workers)]
        return [script, *bind, "--log-level", "warning", "--no-control-socket", application]
    if program.server == "flask":
        return [script, "--app", application, "run", "--port", str(port)]
    if program.server == "uvicorn":
        bind = ["--port", str(port), "--workers", str(workers)]
        return [script, *bind, "--log-level", "warning", "--no-access-log", application]
    if node is None:
        raise ValueError(f"{program.module} needs Node")
    return [str(node.command), "cluster.mjs", program.module]


def _is_listening(port: int, process: subprocess.Popen[bytes], log: Path) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"A peer ended before it listened:\n{log.read_text()}")
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
