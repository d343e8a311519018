"""What `helm test` asks, asked of a real gateway on a real MongoDB: it is content, and with the wrong key it is not."""

import os
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from deploy.chart import CHART
from deploy.checks import CheckError
from deploy.tool import ROOT, require, run_program

_PYTHON = ROOT / ".venv/bin/python"
_GATEWAY = ROOT / ".venv/bin/gateway"
_QUESTIONS = 8
_STOP_SECONDS = 60


def run() -> int:
    """Start a gateway with keys and made-up transactions, and run the chart's test against it.

    Raises:
        CheckError: the test finds a fault, or finds none where there is one.
    """
    with tempfile.TemporaryDirectory(prefix="gateway-ask-") as name:
        folder = Path(name)
        keys = folder / "keys.json"
        for scope in ("transactions", "metrics"):
            command = (_GATEWAY, "keys", "create", scope, "--scope", f"{scope}:read", "--file", keys)
            (folder / scope).write_text(require(*command, folder=folder))
        port = _find_port()
        config = folder / "db_envs.yaml"
        user = {"mongo_username": "transactions", "mongo_password": "transactions", "mongo_database": "transactions"}
        address = {"mongo_host": "127.0.0.1", "mongo_port": _find_port()}
        config.write_text("".join(f"{key}: {value}\n" for key, value in {**user, **address}.items()))
        command = (_GATEWAY, "up", "--port", str(port), "--workers", "1", "--config", config)
        with (
            (folder / "log").open("wb") as log,
            subprocess.Popen(  # noqa: S603 - the project's own command
                command, cwd=folder, env={**os.environ, "GATEWAY_KEYS_FILE": str(keys)}, stdout=log, stderr=log
            ) as process,
        ):
            try:
                _ask(port, folder)
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(_STOP_SECONDS)
    return _QUESTIONS + 1


def _ask(port: int, folder: Path) -> None:
    script = CHART / "files/ask.py"
    arguments = ("127.0.0.1", str(port), folder / "transactions", folder / "metrics")
    answered = require(_PYTHON, script, *arguments)
    if answered.count("ok ") != _QUESTIONS:
        raise CheckError(f"deploy/helm/files/ask.py did not ask {_QUESTIONS} questions:\n{answered}")
    # The keys the other way round: whoever may see metrics may not see transactions.
    done = run_program(_PYTHON, script, *arguments[:2], *reversed(arguments[2:]))
    if done.returncode != 1 or "FAULT 403" not in done.stdout:
        raise CheckError(f"deploy/helm/files/ask.py is content with the wrong keys:\n{done.stdout}{done.stderr}")


def _find_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
