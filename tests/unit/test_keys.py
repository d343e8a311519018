"""API keys: their file, its permissions, and which texts are keys."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from database.errors import ConfigurationError
from gateway.caller import Caller, Scope
from gateway.key_commands import keys
from gateway.keys import KEY_PATTERN, KeyRing, create_key, load_keys, revoke_key
from tests.waiting import wait_until

GATEWAY = Path(sys.executable).with_name("gateway")
READS = frozenset({Scope.TRANSACTIONS_READ})
# The folder may persist between examples, because each reads the file's current state.
with_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def run(*arguments: str, path: Path) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [GATEWAY, "keys", *arguments]
    environ = {**os.environ, "GATEWAY_KEYS_FILE": str(path)}
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)


@given(
    name=st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=64),
    scopes=st.sets(st.sampled_from(Scope)),
)
@with_folder
def test_a_created_key_is_its_callers(path: Path, name: str, scopes: set[Scope]) -> None:
    """A created key is accepted with its scopes, and its file holds everything but the key itself."""
    key, text = create_key(path, name, frozenset(scopes))
    assert KEY_PATTERN.fullmatch(text)
    assert KeyRing(path).find_caller(text) == Caller(f"key:{key.id}", frozenset(scopes))
    assert load_keys(path)[-1] == key
    assert text[-64:] not in path.read_text()
    assert key.sha256 not in repr(key)


@given(st.data())
@with_folder
def test_no_other_text_is_a_key(path: Path, data: st.DataObject) -> None:
    """A key with any character changed, removed or added is refused."""
    _, text = create_key(path, "it", READS)
    place = data.draw(st.integers(0, len(text)))
    other = text[:place] + data.draw(st.text("0123456789abcdef_txgw", max_size=2)) + text[place + 1 :]
    assert (KeyRing(path).find_caller(other) is None) == (other != text)


@given(st.text())
@example("txgw_00000000_" + "0" * 64)
@with_folder
def test_any_text_is_refused_in_peace(path: Path, text: str) -> None:
    """Any text is refused without an exception, even without a file."""
    assert KeyRing(path).find_caller(text) is None


def test_a_key_ends_when_it_expires(path: Path) -> None:
    """A key is refused from the moment it expires."""
    _, text = create_key(path, "it", READS, timedelta(hours=1))
    assert KeyRing(path).find_caller(text)
    content = json.loads(path.read_text())
    content["keys"][0]["expires"] = datetime.now(UTC).isoformat()
    path.write_text(json.dumps(content))
    assert KeyRing(path).find_caller(text) is None


def test_changes_need_no_restart(path: Path) -> None:
    """A ring opened before its file exists accepts a key once it is created, and refuses it once it is revoked."""
    ring = KeyRing(path)
    key, text = create_key(path, "it", READS)
    wait_until(lambda: ring.find_caller(text), "the key")
    assert revoke_key(path, key.id) == key
    wait_until(lambda: ring.find_caller(text) is None, "its end")


def test_a_file_that_breaks_lets_nobody_in(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A broken file accepts nobody, which is logged once, until it is repaired."""
    _, text = create_key(path, "it", READS)
    whole, ring = path.read_text(), KeyRing(path)
    path.write_text(whole[:-9])

    def breaks() -> bool:
        try:
            return ring.find_caller(text) is None
        except ConfigurationError:
            return True

    wait_until(breaks, "the fault")
    assert breaks()
    (record,) = caplog.records
    assert record.getMessage().startswith(f"{path} is not a file of keys")
    path.write_text(whole)
    wait_until(lambda: not breaks(), "the repair")


BROKEN = [
    b"",
    b"{",
    b"[]",
    b"\xff",
    b'{"version": 2, "keys": []}',
    b'{"version": 1}',
    b'{"version": 1, "keys": [5]}',
    b"[" * 100_000,
]


@pytest.mark.parametrize("content", BROKEN, ids=range(len(BROKEN)))
def test_another_file_is_no_file_of_keys(path: Path, content: bytes) -> None:
    """A file of another form is refused by name and left unchanged."""
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"keys\.json"):
        create_key(path, "it", READS)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("field", "value"),
    [("id", "1"), ("name", 1), ("scopes", ["all"]), ("created", "now"), ("expires", "2030-01-01"), ("sha256", "")],
)
def test_a_key_with_a_fault_is_refused(path: Path, field: str, value: object) -> None:
    """A key with an invalid id, name, scope, time or hash makes the whole file invalid instead of being skipped."""
    create_key(path, "it", READS)
    content = json.loads(path.read_text())
    content["keys"][0][field] = value
    path.write_text(json.dumps(content))
    with pytest.raises(ConfigurationError):
        load_keys(path)


def test_concurrent_changes_lose_nothing(path: Path) -> None:
    """Keys created and revoked by several processes at once are all present, or gone, afterwards."""
    doomed = [create_key(path, f"old{n}", READS)[0].id for n in range(4)]
    commands = [["create", f"new{n}", "--scope", "transactions:read"] for n in range(8)]
    commands += [["revoke", key_id] for key_id in doomed]
    with ThreadPoolExecutor(6) as pool:
        assert {answer.returncode for answer in pool.map(lambda command: run(*command, path=path), commands)} == {0}
    assert {key.name for key in load_keys(path)} == {f"new{n}" for n in range(8)}
    assert [each.name for each in path.parent.iterdir()] == ["keys.json"]


def test_a_new_file_is_its_writers_alone(path: Path) -> None:
    """A new file has mode 600 whatever the umask; a widened mode is kept, and a symlink stays a symlink."""
    create_key(path, "it", READS)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    link = path.with_name("link.json")
    link.symlink_to(path)
    create_key(link, "it", READS)
    assert path.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()
    assert len(load_keys(path)) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_the_owner_of_a_file_stays(path: Path) -> None:
    """A file changed by root still belongs to its owner, such as the gateway's user."""
    create_key(path, "it", READS)
    os.chown(path, 10_001, 10_001)
    create_key(path, "it", READS)
    assert (path.stat().st_uid, path.stat().st_gid) == (10_001, 10_001)


def test_the_command_prints_the_key_alone(path: Path) -> None:
    """`gateway keys create` prints only the key on stdout, and `list` shows the key's data until `revoke`."""
    created = run("create", "reports", "--scope", "transactions:read", "--expires", "90d", path=path)
    text = created.stdout.removesuffix("\n")
    assert KEY_PATTERN.fullmatch(text)
    assert text not in created.stderr
    key = load_keys(path)[0]
    assert key.expires == key.created + timedelta(days=90)
    listed = run("list", path=path).stdout
    assert all(part in listed for part in (key.id, "reports", "transactions:read", f"{key.expires:%Y-%m-%d}"))
    assert key.sha256 not in listed
    assert run("revoke", key.id, path=path).returncode == 0
    assert run("list", path=path).stdout == ""
    again = run("revoke", key.id, path=path)
    assert (again.returncode, key.id in again.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["create", "it"], "--scope"),
        (["create", "it", "--scope", "all"], "transactions:read"),
        (["create", "it", "--scope", "cards:read", "--expires", "soon"], "90d"),
        (["create", "--scope", "cards:read"], "NAME"),
        (["revoke"], "ID"),
    ],
)
def test_wrong_usage_says_what_is_right(path: Path, arguments: list[str], named: str) -> None:
    """Invalid usage exits with 2, names the fault and changes nothing."""
    answer = run(*arguments, path=path)
    assert answer.returncode == 2
    assert named in answer.stderr
    assert not path.exists()


@pytest.mark.parametrize("arguments", [["list"], ["revoke", "1f2e3d4c"], ["create", "it", "--scope", "cards:read"]])
def test_a_file_must_be_named(arguments: list[str]) -> None:
    """Without --file and GATEWAY_KEYS_FILE, the error names both."""
    answer = CliRunner(env={"GATEWAY_KEYS_FILE": None}).invoke(keys, arguments)
    assert answer.exit_code == 2
    assert "Missing option '--file' (env var: 'GATEWAY_KEYS_FILE')" in answer.stderr


@pytest.mark.parametrize("name", ["", "\n", "\x1b[2J", "n" * 65])
def test_a_name_can_be_shown(path: Path, name: str) -> None:
    """A name that a terminal cannot show, or of wrong length, is refused."""
    with pytest.raises(ConfigurationError, match="1 to 64 printable"):
        create_key(path, name, READS)


def test_expired_is_told_from_expires(path: Path) -> None:
    """A key has expired from its expiry on, and one without never expires."""
    key, _ = create_key(path, "it", READS)
    now = datetime.now(UTC)
    assert not key.has_expired(now)
    assert replace(key, expires=now).has_expired(now)
    assert not replace(key, expires=now).has_expired(now - timedelta(microseconds=1))
