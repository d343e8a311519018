"""Runs a gateway as a user does: a separate process on a free port, ready before it is used."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from database.environment import DatabaseEnvironment
from tests.waiting import wait_until

STOP_SECONDS = 30


@dataclass(frozen=True)
class GatewayProcess:
    """A running gateway: its URL, its parent process, and the folder that holds its log."""

    url: str
    process: subprocess.Popen[bytes]
    folder: Path


@contextmanager
def run_gateway(
    environment: DatabaseEnvironment, port: int, folder: Path, workers: int = 1, /, **variables: str
) -> Iterator[GatewayProcess]:
    """Serve a database until the block ends; a clean stop is asserted. FIXED_CLOCK_MS stops the gateway's clock."""
    config = folder / "db_envs.yaml"
    config.write_text(f"mongo_uri: {environment.connection_uri}\n")
    ticking, still = [str(Path(sys.executable).with_name("gateway"))], [sys.executable, "-m", "tests.fixed_clock"]
    program = still if "FIXED_CLOCK_MS" in variables else ticking
    command = [*program, "serve", "--port", str(port), "--workers", str(workers)]
    log = (folder / "gateway.log").open("wb")
    with (
        log,
        subprocess.Popen(
            [*command, "--config", str(config)], env={**os.environ, **variables}, stdout=log, stderr=log
        ) as process,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: _is_ready(url, process), "the gateway")
            yield GatewayProcess(url, process, folder)
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(STOP_SECONDS)
    assert code == 0, (folder / "gateway.log").read_text()


def read_log(folder: Path) -> list[dict[str, Any]]:
    """Return the JSON log lines of a gateway run with this folder; messages for humans are left out."""
    lines = (folder / "gateway.log").read_text().splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def _is_ready(url: str, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "the gateway ended"
    try:
        return httpx.get(f"{url}/health/ready").is_success
    except httpx.TransportError:
        return False
