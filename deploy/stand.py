"""Run a real gateway with keys, on its own MongoDB with generated transactions, for checks that need one."""

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from deploy.checks import CheckError
from deploy.tool import ROOT, require

PYTHON = ROOT / ".venv/bin/python"
_GATEWAY = ROOT / ".venv/bin/gateway"
_PATIENCE_SECONDS = 120
_STOP_SECONDS = 60
_OK = 200


@dataclass(frozen=True, slots=True)
class Stand:
    """A running gateway.

    Attributes:
        port: its port on 127.0.0.1.
        folder: temporary; its files `transactions` and `metrics` each hold a key with that read scope.
    """

    port: int
    folder: Path


@contextmanager
def open_gateway() -> Iterator[Stand]:
    """Serve until the block ends; the stop must be clean.

    Raises:
        CheckError: the gateway does not start, or does not stop cleanly.
    """
    with tempfile.TemporaryDirectory(prefix="gateway-stand-") as name:
        folder = Path(name)
        keys = folder / "keys.json"
        for scope in ("transactions", "metrics"):
            command = (_GATEWAY, "keys", "create", scope, "--scope", f"{scope}:read", "--file", keys)
            (folder / scope).write_text(require(*command, folder=folder))
        (folder / "db_envs.yaml").write_text(
            "mongo_username: transactions\nmongo_password: transactions\nmongo_database: transactions\n"
            f"mongo_host: 127.0.0.1\nmongo_port: {find_port()}\n"
        )
        port = find_port()
        variables = {"GATEWAY_KEYS_FILE": str(keys)}
        command = (_GATEWAY, "up", "--port", str(port), "--workers", "1", "--config", folder / "db_envs.yaml")
        with run_process(*command, folder=folder, variables=variables) as process:
            await_answer(process, lambda: read(port, "/health/ready") is not None)
            yield Stand(port, folder)
        if process.returncode:
            raise CheckError(f"the gateway ended with {process.returncode}:\n{(folder / 'gateway.log').read_text()}")


@contextmanager
def run_process(
    *command: str | Path, folder: Path, variables: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends; its log is in the folder, named after the program."""
    with (
        (folder / f"{Path(command[0]).name}.log").open("wb") as log,
        subprocess.Popen(  # noqa: S603 - the project's own commands
            command, cwd=folder, env={**os.environ, **(variables or {})}, stdout=log, stderr=log
        ) as process,
    ):
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(_STOP_SECONDS)


def await_answer(process: subprocess.Popen[bytes], answers: Callable[[], bool]) -> None:
    """Wait until a server answers as expected.

    Raises:
        CheckError: it has ended, or takes too long.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not answers():
        if process.poll() is not None or time.monotonic() > deadline:
            raise CheckError(f"{process.args!r} does not answer")
        time.sleep(0.2)


def read(port: int, path: str) -> str | None:
    """Return the body of a local server's answer, or None if it is not a 200 or there is none."""
    caller = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        caller.request("GET", path)
        answer = caller.getresponse()
        return answer.read().decode() if answer.status == _OK else None
    except (OSError, HTTPException):
        return None
    finally:
        caller.close()


def find_port() -> int:
    """Return a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
