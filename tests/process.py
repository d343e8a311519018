"""A gateway as a user runs it: a process of its own, on a free port, waited for until it answers."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from database.environment import DatabaseEnvironment

START_SECONDS = 60
STOP_SECONDS = 30


@dataclass(frozen=True)
class GatewayProcess:
    """A running gateway: where it answers and its parent process."""

    url: str
    process: subprocess.Popen[bytes]


@contextmanager
def run_gateway(
    environment: DatabaseEnvironment, port: int, folder: Path, **variables: str
) -> Iterator[GatewayProcess]:
    """Serve a database with one worker until the block ends; the stop must be clean."""
    config = folder / "db_envs.yaml"
    config.write_text(f"mongo_uri: {environment.connection_uri}\n")
    command = [str(Path(sys.executable).with_name("gateway")), "serve", "--port", str(port), "--workers", "1"]
    log = (folder / "gateway.log").open("wb")
    with (
        log,
        subprocess.Popen(
            [*command, "--config", str(config)], env={**os.environ, **variables}, stdout=log, stderr=log
        ) as process,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            _await_ready(url, process)
            yield GatewayProcess(url, process)
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(STOP_SECONDS)
    assert code == 0, (folder / "gateway.log").read_text()


def _await_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/health/ready").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)  # between two looks at the condition
    raise AssertionError("the gateway did not become ready")
