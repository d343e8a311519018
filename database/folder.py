"""The embedded server's folder: who holds it, what it is protected with, and what an earlier run left in it.

It holds lock, credentials.json, key, first-start, mongod.log and data/. Nothing here speaks to a server.
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
    """The process that holds a folder, and its server's port once that is ready."""

    pid: int
    port: int | None


@dataclass(frozen=True, slots=True)
class FolderCredentials:
    """The users that only this package knows: db_envs.yaml names the owner."""

    admin: Credentials
    reader: Credentials


@contextmanager
def held_folder(folder: Path) -> Iterator[FileIO]:
    """The folder's lock file, locked and naming this process.

    Raises:
        FolderInUseError: a living process holds it.
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
            # Processes forked meanwhile share the lock: closing the file here would not end it.
            fcntl.flock(lock, fcntl.LOCK_UN)


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


def await_holder(folder: Path, deadline: float) -> Holder | None:
    """Who holds the folder, once its server is ready; None if nobody does.

    Raises:
        FolderInUseError: it is held and not ready at the deadline, of time.monotonic().
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
    """Name the holder in its locked file."""
    lock.seek(0)
    lock.truncate()
    lock.write(json.dumps(asdict(holder)).encode())


def _read_holder(lock: FileIO) -> Holder | None:
    """None while the holder is writing its name."""
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
    """The process number of a mongod that still runs on the data of a folder that is held, whoever started it."""
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


def has_left_over(folder: Path) -> bool:
    """Whether a mongod runs on the data of a folder that nobody holds, or somebody has come to hold it.

    To look is to lock mongod's own file for a moment: one that started then would take it for another's.
    """
    try:
        lock = (folder / "lock").open("rb", buffering=0)
    except OSError:
        return find_left_over(folder) is not None
    with lock:
        return not _try_lock(lock, fcntl.LOCK_SH) or find_left_over(folder) is not None


def stop_left_over(folder: Path) -> None:
    """Stop, without harm to its data, a mongod whose guard was killed together with the process that opened it."""
    pid = find_left_over(folder)
    if pid is None:
        return
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    if not _await(lambda: find_left_over(folder) is None, _STOP_SECONDS):
        raise EmbeddedServerError(f"A mongod of an earlier run, process {pid}, does not stop: end it first.")
    # It lets go of its data a moment before its port. A process that nobody waits for never vanishes: go on then.
    _await(lambda: not _is_alive(pid), _EXIT_SECONDS)


def _await(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def check_space(folder: Path, minimum_free_bytes: int) -> None:
    """Raise EmbeddedServerError if the folder's disk has less free."""
    free = shutil.disk_usage(folder).free
    if free < minimum_free_bytes:
        raise EmbeddedServerError(
            f"The disk of {folder} is nearly full: {free >> 20} MiB are free, and the embedded server needs"
            f" {minimum_free_bytes >> 20} MiB to start. Make room, or use a folder on another disk."
        )


def prepare_folder(folder: Path) -> FolderCredentials:
    """Make everything that mongod needs before it starts.

    `first-start` exists from before mongod writes its first byte until the first start is complete: data beside it was
    never handed to anybody.
    """
    data, first_start = folder / "data", folder / "first-start"
    with described_folder_faults(folder):
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
    return load_credentials(folder)


def load_credentials(folder: Path) -> FolderCredentials:
    """The passwords that `prepare_folder` chose; EmbeddedServerError if they cannot be read."""
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
    """Write a file for this user only; it appears whole or not at all."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


@contextmanager
def described_folder_faults(folder: Path) -> Iterator[None]:
    """Raise what the operating system refuses as EmbeddedServerError."""
    try:
        yield
    except OSError as error:
        raise EmbeddedServerError(f"The embedded server's folder {folder} cannot be used: {error.strerror}.") from error
