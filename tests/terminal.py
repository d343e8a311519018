"""Runs a gateway on a pseudo-terminal, as in a user's terminal window, and requests pages from it."""

import json
import os
import pty
import re
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from tests.waiting import DEADLINE_SECONDS, wait_until

GATEWAY = Path(sys.executable).with_name("gateway")
PASSWORD = "transactions-development"  # noqa: S105 - the embedded server's, on loopback, as in db_envs.yaml


def refuses(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) != 0


def is_alive(process: psutil.Process) -> bool:
    """Whether a process is still running; it may end between the two checks."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def is_server(process: psutil.Process) -> bool:
    """Whether a process is a serving mongod, not a short-lived one that was run for its version."""
    try:
        program, *options = process.cmdline() or [""]
    except psutil.NoSuchProcess:
        return False
    return Path(program).name == "mongod" and "--dbpath" in options


class Terminal:
    """A gateway that runs on a pseudo-terminal of its own, as in a user's terminal window."""

    def __init__(self, folder: Path, *arguments: str, **variables: str) -> None:
        self._master, slave = pty.openpty()
        # A session leader that opens a terminal gets it as its controlling terminal: Ctrl-C typed there then reaches
        # its process group.
        command = ["/bin/sh", "-c", 'exec "$@" <"$0" >"$0" 2>&1', os.ttyname(slave), str(GATEWAY), *arguments]
        environ = {**os.environ, "COLUMNS": "200", **variables}
        self.process = subprocess.Popen(command, cwd=folder, start_new_session=True, env=environ)
        self.output = ""
        self._slave = slave
        self._descendants: dict[int, psutil.Process] = {}
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        # Closed by the reading thread: closed elsewhere, its number could go to the next terminal, which this thread
        # would then read.
        with os.fdopen(self._master, "rb", buffering=0) as master, suppress(OSError):
            while chunk := master.read(4096):
                self.output += chunk.decode(errors="replace").replace("\r\n", "\n")

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def wait_for(self, text: str) -> None:
        wait_until(lambda: text in self.output or self.process.poll() is not None, f"{text!r} in {self.output!r}")
        # Output written before the process ended may still be in transit.
        wait_until(lambda: text in self.output, f"{text!r} in {self.output!r}")

    def find_descendants(self) -> list[psutil.Process]:
        self._descendants |= {child.pid: child for child in psutil.Process(self.process.pid).children(recursive=True)}
        return list(self._descendants.values())

    def runs_mongod(self) -> bool:
        return any(map(is_server, self.find_descendants()))

    def wait_for_end(self) -> int:
        wait_until(lambda: self.process.poll() is not None, f"the end of {self.process.args!r}: {self.output!r}")
        return self.process.wait()

    def find_survivors(self) -> list[psutil.Process]:
        """Return the descendants seen so far that are still running."""
        return [child for child in self._descendants.values() if is_alive(child)]

    def close(self) -> None:
        for child in self.find_survivors():
            with suppress(psutil.NoSuchProcess):
                child.kill()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._slave)


def get(url: str) -> tuple[int, Any]:
    """Return the status and body of a GET; JSON is decoded."""
    try:
        with urllib.request.urlopen(url, timeout=DEADLINE_SECONDS) as answer:  # noqa: S310 - http on loopback
            status, body = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            status, body = error.code, error.read()
    try:
        return status, json.loads(body)
    except ValueError:
        return status, body


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [GATEWAY, *arguments], cwd=folder, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False
    )


def find_urls(output: str) -> dict[str, str]:
    """Return the URLs that `gateway up` printed, keyed by their paths."""
    return {url.split("/", 3)[3]: url for url in re.findall(r"http://\S+", output)}


COUNT, LIST = "transactions/90/card/Visa", "transactions/90"
