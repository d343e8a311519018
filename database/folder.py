"""The embedded server's folder: its lock, its credentials, and a mongod left over from an earlier run.

It contains lock, credentials.json, key, first-start, mongod.log and data/. Nothing here connects to a server.
"""

import fcntl
import json
import os
import secrets
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path

from database.environment import Credentials
from database.errors import EmbeddedServerError

_STOP_SECONDS = 60.0
_EXIT_SECONDS = 5.0
_POLL_SECONDS = 0.02


class FolderInUseError(EmbeddedServerError):
    """Another process runs the embedded server of this folder."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds a folder, and its server's port once the server is ready."""

    pid: int
    port: int | None


@dataclass(frozen=True, slots=True)
class FolderCredentials:
    """The users that this package generates; the owner comes from db_envs.yaml."""

    admin: Credentials
    reader: Credentials


@contextmanager
def held_folder(folder: Path) -> Iterator[FileIO]:
    """Lock the folder's lock file, write this process's id into it, and yield it.

    Raises:
        FolderInUseError: another process holds the folder.
    """
    with described_folder_faults(folder):
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "rb+", buffering=0) as lock:
        _await_lock(lock, folder)
        with described_folder_faults(folder):
            write_holder(lock, Holder(os.getpid(), None))
        try:
            yield lock
        finally:
            lock.truncate(0)
            # Processes forked meanwhile share the lock, so closing the file would not release it.
            fcntl.flock(lock, fcntl.LOCK_UN)


def _await_lock(lock: FileIO, folder: Path) -> None:
    """Lock the file; wait for a dead holder's lock, which its guard releases as soon as the server has stopped."""
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


def await_holder(folder: Path, deadline: float) -> Holder | None:
    """Wait until the holder's server is ready and return the holder; None if the folder is free.

    Raises:
        FolderInUseError: the folder is held and its server not ready at `deadline`, by time.monotonic().
    """
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


def write_holder(lock: FileIO, holder: Holder) -> None:
    """Write the holder into the locked file."""
    lock.seek(0)
    lock.truncate()
    lock.write(json.dumps(asdict(holder)).encode())


def _read_holder(lock: FileIO) -> Holder | None:
    """Return the holder, or None while it is being written."""
    lock.seek(0)
    try:
        return Holder(**json.loads(lock.read()))
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


def find_left_over(folder: Path) -> int | None:
    """Return the id of a mongod process, whoever started it, that runs on the folder's data; hold the folder first."""
    try:
        file = (folder / "data" / "mongod.lock").open("rb", buffering=0)
    except OSError:
        return None
    with file:
        # mongod locks this file while it runs, so an id in an unlocked file is stale.
        if _try_lock(file, fcntl.LOCK_SH):
            return None
        text = file.read().decode(errors="replace").strip()
    return int(text) if text.isdigit() else None


def has_left_over(folder: Path) -> bool:
    """Return whether a mongod runs on the data of a folder that was free, or a process has since taken the folder.

    The check briefly locks mongod's own lock file, which would make a starting mongod fail; so it holds the folder.
    """
    try:
        lock = (folder / "lock").open("rb", buffering=0)
    except OSError:
        return find_left_over(folder) is not None
    with lock:
        return not _try_lock(lock, fcntl.LOCK_SH) or find_left_over(folder) is not None


def stop_left_over(folder: Path) -> None:
    """Cleanly stop a mongod whose guard was killed, for example together with the process that opened it.

    Raises:
        EmbeddedServerError: mongod does not stop in time.
    """
    pid = find_left_over(folder)
    if pid is None:
        return
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    if not _await(lambda: find_left_over(folder) is None, _STOP_SECONDS):
        raise EmbeddedServerError(f"A mongod of an earlier run, process {pid}, does not stop: end it first.")
    # mongod releases its data shortly before its port. The wait is bounded because a zombie process never vanishes.
    _await(lambda: not _is_alive(pid), _EXIT_SECONDS)


def _await(condition: Callable[[], bool], seconds: float) -> bool:
    """Poll until the condition is true; return whether it was in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def check_space(folder: Path, minimum_free_bytes: int) -> None:
    """Raise EmbeddedServerError if the folder's disk has fewer free bytes than the minimum."""
    free = shutil.disk_usage(folder).free
    if free < minimum_free_bytes:
        raise EmbeddedServerError(
            f"The disk of {folder} is nearly full: {free >> 20} MiB are free, and the embedded server needs"
            f" {minimum_free_bytes >> 20} MiB to start. Make room, or use a folder on another disk."
        )


def prepare_folder(folder: Path) -> FolderCredentials:
    """Create everything that mongod needs before it starts, and return its users.

    `first-start` exists from before mongod's first write until the first start is complete: no client has ever used
    data that lies beside it.

    Raises:
        EmbeddedServerError: the folder cannot be used, or holds data that is not MongoDB's.
    """
    data, first_start = folder / "data", folder / "first-start"
    with described_folder_faults(folder):
        if first_start.exists() and data.exists():
            shutil.rmtree(data)
        if not data.exists() or not any(data.iterdir()):
            _write_private(first_start, "")
        elif not (data / "WiredTiger").exists():
            raise EmbeddedServerError(f"The folder {data} holds something other than MongoDB's data: move it away.")
        data.mkdir(mode=0o700, exist_ok=True)
        if first_start.exists() and not (folder / "credentials.json").exists():
            users = {
                name: {"username": f"{name}-{secrets.token_hex(4)}", "password": secrets.token_urlsafe(32)}
                for name in ("admin", "reader")
            }
            _write_private(folder / "credentials.json", json.dumps(users, indent=2))
        # A one-member replica set shares the key with no other member, so each start writes a new one.
        _write_private(folder / "key", secrets.token_hex(256))
    return load_credentials(folder)


def load_credentials(folder: Path) -> FolderCredentials:
    """Read the users that `prepare_folder` generated; raise EmbeddedServerError if they cannot be read."""
    path = folder / "credentials.json"
    try:
        users = json.loads(path.read_text(encoding="utf-8"))
        return FolderCredentials(Credentials(**users["admin"]), Credentials(**users["reader"]))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EmbeddedServerError(
            f"The embedded server's own passwords cannot be read from {path}: restore that file, or move {folder} away"
            " to begin with an empty database."
        ) from error


def _write_private(path: Path, text: str) -> None:
    """Write a file atomically, accessible to this user only."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


@contextmanager
def described_folder_faults(folder: Path) -> Iterator[None]:
    """Translate OSError into EmbeddedServerError."""
    try:
        yield
    except OSError as error:
        raise EmbeddedServerError(f"The embedded server's folder {folder} cannot be used: {error.strerror}.") from error
