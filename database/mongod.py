"""Run one mongod process under its guard, and explain why it ended.

Nothing here connects to it.
"""

import errno
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import Any

from database import guard
from database.environment import DatabaseEnvironment
from database.errors import EmbeddedServerError
from database.folder import described_folder_faults, stop_left_over
from database.machine import measure_memory
from database.program import Program

REPLICA_SET = "embedded"

_FIRST_WITHOUT_FREE_MONITORING = 7
_START_SECONDS = 60.0
_STOP_SECONDS = 60.0
_POLL_SECONDS = 0.02
_QUOTE_LENGTH = 300

# mongod's own log identifiers: https://www.mongodb.com/docs/manual/reference/log-messages/
_LOG_LISTENING = 23016
_LOG_WRONG_VERSION = frozenset({20573, 22347})


def _choose_cache_gigabytes() -> float:
    """Return a quarter of the memory, from 0.25 to 4; MongoDB's default, half of it, suits a dedicated machine."""
    return min(max(measure_memory() / 4e9, 0.25), 4.0)


@contextmanager
def running_mongod(
    program: Program, environment: DatabaseEnvironment, folder: Path, lock: FileIO
) -> Iterator[subprocess.Popen[bytes]]:
    """Run mongod under a guard, yield the guard's process once mongod listens, and stop both at the end.

    Args:
        program: the mongod to run.
        environment: the address to listen at.
        folder: a prepared folder, held by `lock`.
        lock: the folder's lock, which the guard keeps until mongod has ended.

    Raises:
        EmbeddedServerError: mongod ended instead, or is not ready in time.
    """
    log = folder / "mongod.log"
    with described_folder_faults(folder):
        if log.exists():
            log.replace(folder / "mongod.log.1")
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    command = [sys.executable, "-I", guard.__file__, str(os.getpid()), *_build_command(program, environment, folder)]
    try:
        # A session of its own: Ctrl-C reaches only this process, which then stops mongod cleanly. The guard keeps the
        # lock until mongod has ended, even if this process is killed.
        process = subprocess.Popen(  # noqa: S603 (our own interpreter, script and mongod)
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=(lock.fileno(),),
        )
    finally:
        os.close(output)
    try:
        _await_listening(process, folder)
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
        stop_left_over(folder)


def _build_command(program: Program, environment: DatabaseEnvironment, folder: Path) -> list[str]:
    host = environment.host.strip("[]")
    options = {
        "dbpath": str(folder / "data"),
        "logpath": str(folder / "mongod.log"),
        "bind_ip": host,
        "port": str(environment.port),
        "replSet": REPLICA_SET,
        "keyFile": str(folder / "key"),
        "oplogSize": "256",
        "wiredTigerCacheSizeGB": f"{_choose_cache_gigabytes():.2f}",
        # Not zlib: its implementation in mongod discloses memory (CVE-2025-14847).
        "networkMessageCompressors": "snappy,zstd",
    }
    parameters = ("diagnosticDataCollectionEnabled=false", "shutdownTimeoutMillisForSignaledShutdown=100")
    command = [*program.command, "--auth", "--logappend", "--nounixsocket"]
    for name, value in options.items():
        command += [f"--{name}", value]
    for parameter in parameters:
        command += ["--setParameter", parameter]
    if ":" in host:
        command.append("--ipv6")
    if program.major < _FIRST_WITHOUT_FREE_MONITORING:
        command += ["--enableFreeMonitoring", "off"]
    return command


def check_port(environment: DatabaseEnvironment) -> None:
    """Raise EmbeddedServerError if no process can listen at the environment's host and port."""
    host = environment.host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, environment.port))
        except OSError as error:
            reason = "another program has it" if error.errno == errno.EADDRINUSE else error.strerror
            raise EmbeddedServerError(
                f"The embedded server cannot listen at {environment.address}: {reason}."
                " Set another port by mongo_port (MONGO_PORT)."
            ) from None


def _await_listening(process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not any(line.get("id") == _LOG_LISTENING for line in _read_log(folder)):
        if process.poll() is not None:
            raise EmbeddedServerError(explain_end(process.returncode, folder))
        if time.monotonic() > deadline:
            raise EmbeddedServerError(f"The embedded server does not get ready; its log is {folder / 'mongod.log'}.")
        time.sleep(_POLL_SECONDS)


def explain_end(exit_code: int, folder: Path) -> str:
    """Explain why mongod ended during its start, from the decisive line of its log, with a remedy if one is known."""
    lines = _read_log(folder)
    # A line that is not in the log's format precedes mongod's logging or comes from the guard: count it as a fault.
    faults = [line for line in lines if line.get("s", "F") in {"E", "F"}]
    if any("No space left on device" in json.dumps(fault) for fault in faults):
        return f"The disk of {folder} is full: the embedded server cannot start. Make room; its data is unharmed."
    if any(line.get("id") in _LOG_WRONG_VERSION for line in lines):
        return (
            f"The data in {folder} was written by {_describe_writer(folder, faults)}, which this mongod cannot read. It"
            " is unharmed: put a mongod of that version on PATH, name its server by mongo_uri, or use another folder."
        )
    # The first fault is the cause; the others follow from it.
    cause = _describe_log_line(faults[0]) if faults else f"it ended with code {exit_code} and logged no error"
    return f"The embedded server does not start: {cause[:_QUOTE_LENGTH]} (log: {folder / 'mongod.log'})"


def _read_log(folder: Path) -> list[dict[str, Any]]:
    """Return the log lines of this start; one that is not in mongod's log format becomes a bare message."""
    lines: list[dict[str, Any]] = []
    for text in (folder / "mongod.log").read_text(encoding="utf-8", errors="replace").splitlines():
        # A restart logs an empty line first, and the dynamic linker warns about the libcurl of program.py.
        if not text or "no version information available" in text:
            continue
        try:
            line = json.loads(text)
        except ValueError:
            line = {"msg": text}
        lines.append(line if isinstance(line, dict) else {"msg": text})
    return lines


def _describe_log_line(line: Mapping[str, Any]) -> str:
    attributes = line.get("attr", {})
    # The storage engine nests its message inside mongod's.
    detail = attributes.get("message", attributes)
    detail = detail.get("msg", detail) if isinstance(detail, dict) else detail
    return f"{str(line.get('msg', '')).strip()} {detail or ''}".strip()


def _describe_writer(folder: Path, faults: Sequence[Mapping[str, Any]]) -> str:
    """Return the version that wrote the data, from mongod's log or else from the storage engine's own file."""
    if found := re.search(r"featureCompatibilityVersion\W+version\W+(\d+\.\d+)", json.dumps(faults)):
        return f"MongoDB {found[1]}"
    with suppress(OSError):
        turtle = (folder / "data" / "WiredTiger.turtle").read_text(encoding="utf-8", errors="replace")
        if found := re.search(r"^WiredTiger (\d[\d.]*)", turtle, re.MULTILINE):
            return f"another version of MongoDB (with WiredTiger {found[1]})"
    return "another version of MongoDB"
