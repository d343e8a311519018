"""The embedded server: a private mongod in a private folder, which runs as long as the process that opened it.

This module starts, secures and stops it, and must never touch any other server or folder.
"""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from database.client import ConnectionOutcome, ServerState, check_server
from database.environment import Credentials, DatabaseEnvironment
from database.errors import DatabaseError, EmbeddedServerError
from database.folder import (
    FolderCredentials,
    FolderInUseError,
    Holder,
    await_holder,
    check_space,
    described_folder_faults,
    has_left_over,
    held_folder,
    load_credentials,
    prepare_folder,
    stop_left_over,
    write_holder,
)
from database.keeper import kept_running
from database.mongod import REPLICA_SET, check_port, explain_end, running_mongod
from database.program import get_program
from database.provision import OWNER_ROLE, drop_other_users, provision

MINIMUM_FREE_BYTES = 1 << 29

_READY_SECONDS = 60.0
_BUSY_SECONDS = 60.0
_LAST_WORDS_SECONDS = 5.0
_POLL_SECONDS = 0.02

_AUTHENTICATION_FAILED = 18


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A running embedded server: its three users, its folder and its process.

    Attributes:
        owner: the user of db_envs.yaml, who seeds and creates indexes.
        reader: the user that the gateway serves with.
        admin: the user with all privileges.
        pid: mongod's process id at the start; a restarted mongod has another.
    """

    owner: DatabaseEnvironment
    reader: DatabaseEnvironment
    admin: DatabaseEnvironment
    folder: Path
    pid: int
    version: str


@dataclass(frozen=True, slots=True)
class ReachedServer:
    """The server that answers: its writing user, its reading user, and the embedded server if this process runs it."""

    owner: DatabaseEnvironment
    reader: DatabaseEnvironment
    embedded: EmbeddedServer | None


@contextmanager
def reach_server(
    environment: DatabaseEnvironment, folder: Path, *, notify: Callable[[str], None]
) -> Iterator[ReachedServer]:
    """Open the configured server if it answers, else the embedded one, which needs a local address given in parts.

    Args:
        environment: the configured server.
        folder: the embedded server's folder.
        notify: called with one sentence that says which server is used and why, if it is an embedded one.

    Raises:
        DatabaseRefusedError: a server answers and refuses the credentials.
        DatabaseUnavailableError: what answers is not MongoDB or is too old, or nothing answers at a remote address.
        EmbeddedServerError: the embedded server cannot be started.
    """
    with ExitStack() as stack:
        yield _reach(environment, folder, notify, stack)


@contextmanager
def open_embedded_server(
    environment: DatabaseEnvironment, folder: Path, *, minimum_free_bytes: int = MINIMUM_FREE_BYTES
) -> Iterator[EmbeddedServer]:
    """Start the embedded server at the environment's address, with its user as the owner, and stop it at the end.

    A server that crashes or is killed before that is started again with the same data.

    The data of an incomplete first start is removed and that start repeated; data that a client could have written to
    is never removed.

    Raises:
        EmbeddedServerError: the server cannot be started; the message says why and what to do.
        FolderInUseError: another process runs the server of this folder.
    """
    if environment.uri is not None or not environment.is_local:
        raise EmbeddedServerError(
            f"The embedded server runs on this machine only, not at {environment.address}: set mongo_host to 127.0.0.1."
        )
    program = get_program()
    with described_folder_faults(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    check_space(folder, minimum_free_bytes)
    with held_folder(folder) as lock:
        stop_left_over(folder)
        check_port(environment)
        credentials = prepare_folder(folder)
        run = partial(running_mongod, program, environment, folder, lock)
        with run() as process:
            with _described_setup_faults(process, folder):
                server = _secure(environment, folder, credentials)
            with described_folder_faults(folder):
                write_holder(lock, Holder(os.getpid(), environment.port))
            with kept_running(process, run, folder):
                yield server


def _reach(
    environment: DatabaseEnvironment, folder: Path, notify: Callable[[str], None], stack: ExitStack
) -> ReachedServer:
    deadline = time.monotonic() + _BUSY_SECONDS
    may_start = environment.uri is None and environment.is_local
    while True:
        holder = await_holder(folder, deadline) if may_start else None
        state = check_server(environment)
        left_over = may_start and holder is None and has_left_over(folder)
        if state.outcome is ConnectionOutcome.ACCEPTED and not left_over:
            return _build_reached(state, folder, holder, notify)
        if not may_start or (state.outcome is not ConnectionOutcome.SILENT and not left_over):
            raise _build_error(state, holder)
        try:
            server = stack.enter_context(open_embedded_server(environment, folder))
        except FolderInUseError:
            # Another process took the folder first: its server will answer here once it is ready. If it was ready
            # before, it uses another port and blocks the folder for good.
            if holder is not None or time.monotonic() > deadline:
                raise
            continue
        notify(
            f"No server answers at {environment.address}: started the embedded MongoDB {server.version} in {folder}."
        )
        return ReachedServer(server.owner, server.reader, server)


def _build_reached(
    state: ServerState, folder: Path, holder: Holder | None, notify: Callable[[str], None]
) -> ReachedServer:
    owner = state.environment
    if holder is None or holder.port != owner.port:
        return ReachedServer(owner, owner, None)
    reader = owner.with_credentials(load_credentials(folder).reader)
    if check_server(reader).outcome is not ConnectionOutcome.ACCEPTED:
        return ReachedServer(owner, owner, None)
    notify(f"Using the embedded MongoDB at {owner.address} that process {holder.pid} runs; it stops with that process.")
    return ReachedServer(owner, reader, None)


def _build_error(state: ServerState, holder: Holder | None) -> DatabaseError:
    error = state.build_error()
    if state.outcome is ConnectionOutcome.REFUSED and holder is not None and holder.port == state.environment.port:
        return type(error)(
            f"{error} It is the embedded server that process {holder.pid} started with other settings: end that"
            " process, and the next start takes these."
        )
    return error


def _secure(environment: DatabaseEnvironment, folder: Path, credentials: FolderCredentials) -> EmbeddedServer:
    """Bring the replica set and the three users to the declared state; complete the first start if this is one."""
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
        # A connection usually breaks because mongod ended: wait for it to log the reason.
        with suppress(subprocess.TimeoutExpired):
            process.wait(_LAST_WORDS_SECONDS)
        if process.returncode is None:
            raise EmbeddedServerError(f"The embedded server started and cannot be made ready: {error}") from error
        raise EmbeddedServerError(explain_end(process.returncode, folder)) from error


def _initiate(environment: DatabaseEnvironment, admin: Credentials) -> None:
    """Initiate the replica set and create the administrator; mongod lets localhost do both while it has no user."""
    with MongoClient[dict[str, Any]](f"mongodb://{environment.address}/?directConnection=true") as client:
        members = [{"_id": 0, "host": environment.address}]
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
        _await_writable(client)
        client.admin.command(
            "createUser", admin.username, pwd=admin.password, roles=["root"], mechanisms=["SCRAM-SHA-256"]
        )


def _await_primary(admin: DatabaseEnvironment) -> str:
    """Adapt the replica set to a changed address, wait until the server accepts writes, and return its version."""
    with MongoClient[dict[str, Any]](admin.connection_uri) as client:
        configuration = client["local"]["system.replset"].find_one()
        if configuration and configuration["members"][0]["host"] != admin.address:
            configuration["members"][0]["host"] = admin.address
            configuration["version"] += 1
            client.admin.command("replSetReconfig", configuration, force=True)
        _await_writable(client)
        return str(client.server_info()["version"])


def _await_writable(client: MongoClient[dict[str, Any]]) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not client.admin.command("hello")["isWritablePrimary"]:
        if time.monotonic() > deadline:
            raise EmbeddedServerError("The embedded server started and does not become ready to write.")
        time.sleep(_POLL_SECONDS)
