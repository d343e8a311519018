"""The embedded server starts, stops and survives failures of itself and its environment without harm to its data."""

import fcntl
import json
import os
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

from database.embedded import open_embedded_server, reach_server
from database.environment import Credentials, DatabaseEnvironment
from database.errors import DatabaseRefusedError
from database.folder import FolderInUseError, find_left_over
from database.index import INDEXES
from database.provision import provision, read_status
from tests.embedded import insert_id, read_ids, takes_writes
from tests.waiting import find_free_port, wait_until

_SECONDS = 60.0
_PROGRAM = Path(__file__).with_name("embedded_process.py")


@pytest.fixture
def address() -> DatabaseEnvironment:
    """The user and database of embedded_process.py, at a port where nothing listens."""
    return DatabaseEnvironment("owner", "the owner's", "127.0.0.1", find_free_port(), "transactions")


def _never(sentence: str) -> None:
    pytest.fail(f"nothing should have been said, and was: {sentence}")


def _is_running(pid: int) -> bool:
    # A zombie has ended but is still listed.
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


def test_first_start_is_private_and_leaves_no_process(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """The server requires credentials, listens only on loopback, keeps its files private, and leaves no process."""
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
    """Another port, user and password take effect at the next start, with the data of the previous one."""
    with open_embedded_server(address, tmp_path) as server:
        insert_id(server.owner, "a")
        before = server

    port = find_free_port()
    changed = replace(address.with_credentials(Credentials("other", "päss w@rd/%")), port=port)
    with open_embedded_server(changed, tmp_path) as server:
        insert_id(server.owner, "b")
        assert read_ids(server.reader) == ["a", "b"]
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
    """A first start killed at any step is repaired by the next start."""
    with _process(tmp_path, address, event, spared) as process:
        assert process.wait(_SECONDS) == -9

    with open_embedded_server(address, tmp_path) as server:
        assert provision(server.owner).kept_indexes == tuple(index.name for index in INDEXES)
        insert_id(server.owner, "a")
        assert read_ids(server.reader) == ["a"]
    assert not (tmp_path / "first-start").exists()


def test_server_ends_with_a_killed_parent(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """After kill -9 of the process that opened it, mongod ends by itself, and the next start has its data."""
    with _process(tmp_path, address) as process:
        pid = _read_line(process)["pid"]
        insert_id(address, "a")
        process.kill()
        process.wait(_SECONDS)
        wait_until(lambda: not _is_running(pid))

    with open_embedded_server(address, tmp_path) as server:
        assert read_ids(server.reader) == ["a"]


def test_orphan_is_replaced(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """A mongod whose parent and guard were both killed is shut down cleanly by the next start."""
    with _process(tmp_path, address) as process:
        pid = _read_line(process)["pid"]
        insert_id(address, "a")
        guard = psutil.Process(pid).parent()
        assert guard is not None
        guard.kill()
        process.kill()
        process.wait(_SECONDS)
        assert _is_running(pid)

    said: list[str] = []
    with reach_server(address, tmp_path, notify=said.append) as reached:
        assert reached.embedded is not None
        assert reached.embedded.pid != pid
        assert read_ids(reached.reader) == ["a"]
    assert "started the embedded MongoDB" in said[0]


def test_guard_that_is_killed_leaves_no_process(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """The server is stopped at the end even if its guard was killed before."""
    with open_embedded_server(address, tmp_path) as server:
        guard = psutil.Process(server.pid).parent()
        assert guard is not None
        guard.kill()

    assert not _is_running(server.pid)


@pytest.mark.parametrize("victim", ["mongod", "guard"])
def test_server_that_is_killed_runs_again(
    tmp_path: Path, address: DatabaseEnvironment, victim: str, caplog: pytest.LogCaptureFixture
) -> None:
    """After kill -9 of mongod or its guard, another mongod starts at once with the same data, and stops at the end."""
    with open_embedded_server(address, tmp_path) as server:
        insert_id(server.owner, "a")
        mongod = psutil.Process(server.pid)
        guard = mongod.parent()
        assert guard is not None
        (mongod if victim == "mongod" else guard).kill()
        wait_until(lambda: "runs again" in caplog.text, "another mongod")
        wait_until(lambda: takes_writes(server.owner), "its election")
        insert_id(server.owner, "b")
        assert read_ids(server.reader) == ["a", "b"]
        pid = find_left_over(tmp_path)

    assert pid is not None
    assert not _is_running(pid)
    assert not _is_running(server.pid)


def test_server_that_cannot_run_again_is_tried_again(
    tmp_path: Path, address: DatabaseEnvironment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """While mongod cannot start, the log says why; once it can, it runs again."""
    monkeypatch.setattr("database.keeper._PAUSE_SECONDS", 0.1)
    with open_embedded_server(address, tmp_path) as server:
        insert_id(server.owner, "a")
        (tmp_path / "key").chmod(0o644)
        psutil.Process(server.pid).kill()
        wait_until(lambda: "Unable to acquire security key" in caplog.text, "the reason")
        (tmp_path / "key").chmod(0o600)
        wait_until(lambda: "runs again" in caplog.text, "another mongod")
        wait_until(lambda: takes_writes(server.owner), "its election")
        assert read_ids(server.reader) == ["a"]


def test_nobody_starts_while_another_looks_for_what_was_left(
    tmp_path: Path, address: DatabaseEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check of mongod's lock, which would end a mongod starting at that moment, is made while none can start."""
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
    with reach_server(address, tmp_path, notify=lambda _: None):
        pass
    assert looks
    assert all(looks)


def test_two_starts_at_once_share_one_server(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """Of two processes that start at once, one runs the server; the other uses it with the same reader and says so."""
    with _process(tmp_path, address) as first, _process(tmp_path, address) as second:
        answers = sorted((_read_line(first), _read_line(second)), key=lambda answer: answer["pid"] is None)

    runner, user = answers
    assert (runner["pid"] is None, user["pid"] is None) == (False, True)
    assert runner["reader"] == user["reader"]
    assert "stops with that process" in user["said"][0]


def test_folder_in_use_names_its_holder(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """A second server in the same folder is refused with the id of the process that holds it."""
    with (
        open_embedded_server(address, tmp_path),
        pytest.raises(FolderInUseError, match=f"Process {os.getpid()} runs"),
        open_embedded_server(address, tmp_path),
    ):
        pass


def test_running_server_with_other_credentials_says_who_runs_it(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """Credentials changed while the server runs are refused with the process that runs it."""
    changed = address.with_credentials(Credentials("owner", "changed meanwhile"))
    with (
        open_embedded_server(address, tmp_path),
        pytest.raises(DatabaseRefusedError, match=f"process {os.getpid()} started with other settings"),
        reach_server(changed, tmp_path, notify=_never),
    ):
        pass


def test_interrupted_user_leaves_no_process(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """Ctrl-C inside the block stops the server."""
    with suppress(KeyboardInterrupt), open_embedded_server(address, tmp_path) as server:
        raise KeyboardInterrupt
    assert not _is_running(server.pid)
