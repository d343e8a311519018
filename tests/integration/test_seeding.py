"""Seeding a real mongod with real processes, undisturbed and disturbed."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from pymongo import MongoClient
from pymongo.collection import Collection

from database.environment import DatabaseEnvironment
from database.errors import DatabaseRefusedError
from database.index import COLLECTION
from database.loader import open_loader
from database.provision import OWNER_ROLE, read_status
from seeding.document import build_documents, build_identifiers
from seeding.error import SeedingError
from seeding.plan import CHUNK
from seeding.pool import build_pools
from seeding.seeder import SeedReport, seed
from tests.crashed import HELD, run_crashed_mongod
from tests.waiting import wait_until

GATEWAY = str(Path(sys.executable).with_name("gateway"))
UNTIL = 1_795_000_000_000
MANY = 30_000


@pytest.fixture
def run(environment: DatabaseEnvironment, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """A function that runs the command to its end."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            _build_command(*arguments),
            env=_build_environ(environment),
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def start(environment: DatabaseEnvironment, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """A function that starts the command in its own session, as a terminal would."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            _build_command(*arguments),
            env=_build_environ(environment),
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def _build_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "seeding", *arguments]


def _build_environ(environment: DatabaseEnvironment) -> dict[str, str]:
    return {**os.environ, "MONGO_URI": environment.connection_uri}


def _find_workers(process: subprocess.Popen[str]) -> list[psutil.Process]:
    # The spawned interpreters, without multiprocessing's resource tracker.
    return [
        child
        for child in psutil.Process(process.pid).children()
        if any("spawn_main" in part for part in child.cmdline())
    ]


@contextmanager
def _held(admin: MongoClient[dict[str, Any]], collection: Collection[dict[str, Any]], seed: int) -> Iterator[None]:
    """Hold back all chunks of a set except the first until the block ends, on any machine.

    An insert of an `_id` waits for an open transaction that has inserted it. So does a change of the
    collection's options, so the owner loses the right to it.
    """
    name = collection.database.name
    privilege = {"resource": {"db": name, "collection": COLLECTION}, "actions": ["collMod"]}
    admin[name].command("revokePrivilegesFromRole", OWNER_ROLE, privileges=[privilege])
    chunks = range(1, MANY // CHUNK)
    with collection.database.client.start_session() as session, session.start_transaction():
        collection.insert_many([{"_id": build_identifiers(seed, chunk, 1)[0]} for chunk in chunks], session=session)
        yield
        session.abort_transaction()


def _read(collection: Collection[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(collection.find(), key=lambda document: str(document["_id"]))


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_collection_holds_the_documents_of_the_seed(
    environment: DatabaseEnvironment, collection: Collection[dict[str, Any]], workers: int
) -> None:
    """With any number of workers, the stored documents are those of the seed, field by field and in field order."""
    report = seed(environment, 2_500, seed=7, until=UNTIL, workers=workers)

    expected = [
        document
        for chunk, size in enumerate((CHUNK, CHUNK, 500))
        for document in build_documents(7, chunk, size, build_pools(7), UNTIL)
    ]
    assert (report.added, report.found) == (2_500, 0)
    assert [list(document.items()) for document in _read(collection)] == sorted(
        (list(document.items()) for document in expected), key=lambda items: str(items[0])
    )
    assert collection.count_documents({"date": {"$type": "long"}, "amount": {"$type": "double"}}) == 2_500


def test_seeding_again_adds_only_what_is_missing(
    environment: DatabaseEnvironment, collection: Collection[dict[str, Any]]
) -> None:
    """A second run keeps stored documents, restores lost ones, and extends the set to a larger count."""
    seed(environment, 1_500, seed=7, until=UNTIL, workers=1)
    whole = _read(collection)
    collection.delete_many({"_id": {"$in": [document["_id"] for document in whole[::10]]}})

    report = seed(environment, 1_500, seed=7, until=UNTIL, workers=2)
    assert (report.added, report.found) == (150, 1_350)
    assert _read(collection) == whole

    report = seed(environment, 2_000, seed=7, until=UNTIL, workers=2)
    assert (report.added, report.found) == (500, 1_500)


def test_another_day_completes_the_same_set(
    environment: DatabaseEnvironment, collection: Collection[dict[str, Any]]
) -> None:
    """A run with a later date does not duplicate what an earlier run stored."""
    seed(environment, 1_000, seed=7, until=UNTIL)
    report = seed(environment, 2_000, seed=7, until=UNTIL + 3 * 24 * 3_600_000)

    assert (report.added, report.found) == (1_000, 1_000)
    assert collection.count_documents({}) == 2_000


def test_documents_of_others_stay(environment: DatabaseEnvironment, collection: Collection[dict[str, Any]]) -> None:
    """Without --replace the set is added to what the collection holds."""
    collection.insert_one({"_id": "theirs"})
    seed(environment, 10, seed=7)

    assert collection.count_documents({}) == 11
    assert collection.find_one({"_id": "theirs"}) == {"_id": "theirs"}


def test_progress_is_told_from_nothing_to_all(environment: DatabaseEnvironment) -> None:
    """The progress reports begin at zero, never fall, and end at the count."""
    reports: list[SeedReport] = []
    seed(environment, 3_200, progress=reports.append)

    stored = [report.stored for report in reports]
    assert stored == sorted(stored)
    assert (stored[0], stored[-1]) == (0, 3_200)


def test_more_than_the_disk_holds_is_refused(environment: DatabaseEnvironment) -> None:
    """A count too large for the server's disk is refused before anything is stored, with the count that would fit."""
    with pytest.raises(SeedingError, match=r"need about [\d,.]+ GB, .* has [\d,.]+ GB free: ask for at most [\d,]+\."):
        seed(environment, 10**12)


def test_a_user_who_may_not_write_is_told(
    reader_environment: DatabaseEnvironment, collection: Collection[dict[str, Any]]
) -> None:
    """A refusal that only a worker meets is raised to the caller."""
    with pytest.raises(DatabaseRefusedError, match="does not permit"):
        seed(reader_environment, 10)
    assert collection.count_documents({}) == 0


def test_the_command_says_what_it_stored(
    run: Callable[..., subprocess.CompletedProcess[str]],
    environment: DatabaseEnvironment,
    collection: Collection[dict[str, Any]],
) -> None:
    """The command creates missing indexes and prints the seed it chose, which finds the same set again."""
    collection.drop_indexes()
    first = run("300")
    found = re.search(r"Seeding 300 transactions with seed (\d+), dated until", first.stdout)

    assert first.returncode == 0, first.stderr
    assert found is not None
    assert re.search(r"^Stored 300 transactions in [\d.]+ s, [\d,]+ a second$", first.stdout, re.MULTILINE)
    assert read_status(environment).missing_indexes == ()

    second = run("300", "--seed", found[1])
    assert "(300 were there already)" in second.stdout


def test_replace_deletes_first(
    run: Callable[..., subprocess.CompletedProcess[str]], collection: Collection[dict[str, Any]]
) -> None:
    """With --replace --yes only the new documents remain, and the indexes stay."""
    collection.insert_many([{"_id": f"old {number}"} for number in range(6_000)])
    indexes = collection.index_information()

    result = run("100", "--replace", "--yes")

    assert result.returncode == 0, result.stderr
    assert "Deleted 6,000 transactions" in result.stdout
    assert collection.count_documents({}) == 100
    assert collection.index_information() == indexes


def test_replace_deletes_nothing_where_the_new_have_no_room(
    run: Callable[..., subprocess.CompletedProcess[str]], collection: Collection[dict[str, Any]]
) -> None:
    """With --replace, a count too large for the disk is refused before anything is deleted."""
    collection.insert_one({"_id": "old"})
    result = run("1000000000000", "--replace", "--yes")
    assert result.returncode == 1
    assert "ask for at most" in result.stderr
    assert collection.count_documents({}) == 1


@pytest.mark.parametrize(("answer", "code", "left"), [(b"n\n", 130, 1), (b"\x04", 130, 1), (b"y\n", 0, 50)])
def test_replace_asks_on_a_terminal(
    environment: DatabaseEnvironment,
    collection: Collection[dict[str, Any]],
    tmp_path: Path,
    answer: bytes,
    code: int,
    left: int,
) -> None:
    """On a terminal --replace asks for confirmation, and only a yes deletes."""
    collection.insert_one({"_id": "old"})
    with _open_terminal(environment, tmp_path, "50", "--replace") as terminal:
        terminal.read_until(b"[y/N]")
        terminal.write(answer)
        assert terminal.wait() == code
    assert f"Delete all 1 transactions of database {environment.database}" in terminal.text
    assert collection.count_documents({}) == left


def test_replace_asks_after_a_crash(tmp_path: Path) -> None:
    """After a crash that left the metadata count at 0, --replace still asks, with the true count; a no keeps all."""
    with run_crashed_mongod(tmp_path) as address:
        crashed = DatabaseEnvironment(uri=f"mongodb://{address}/shop")
        with _open_terminal(crashed, tmp_path, "50", "--replace") as terminal:
            terminal.read_until(b"[y/N]")
            terminal.write(b"n\n")
            assert terminal.wait() == 130
        assert f"Delete all {HELD} transactions of database shop" in terminal.text
        with open_loader(crashed) as loader:
            assert loader.count() == HELD


def test_replace_of_nothing_does_not_ask(environment: DatabaseEnvironment, tmp_path: Path) -> None:
    """With nothing to delete, --replace says so and seeds."""
    with _open_terminal(environment, tmp_path, "50", "--replace") as terminal:
        assert terminal.wait() == 0
    assert "Nothing to delete" in terminal.text


@pytest.mark.parametrize("command", [[GATEWAY, "seed"], [sys.executable, "-m", "seeding"]])
def test_errors_are_worded_alike(tmp_path: Path, command: list[str]) -> None:
    """Under either name the command exits with 1 and one message with the common prefix."""
    result = subprocess.run(
        [*command, "5"], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert result.stderr.startswith("gateway: db_envs.yaml cannot be used:")


def test_a_terminal_gets_a_bar(environment: DatabaseEnvironment, tmp_path: Path) -> None:
    """On a terminal a progress bar shows the rate, the share and the remaining time."""
    with _open_terminal(environment, tmp_path, "20000") as terminal:
        assert terminal.wait() == 0
    assert re.search(r"100 %.*20,000 of 20,000.*[\d,]+/s.*\d:\d\d:\d\d.*left", terminal.text)


def test_ctrl_c_stops_in_order(
    admin: MongoClient[dict[str, Any]],
    start: Callable[..., subprocess.Popen[str]],
    run: Callable[..., subprocess.CompletedProcess[str]],
    collection: Collection[dict[str, Any]],
) -> None:
    """Ctrl-C exits with 130 and one line: how many are stored, and the command that completes them."""
    with _held(admin, collection, -7):
        process = start(str(MANY), "--seed", "-7", "--workers", "2")
        wait_until(lambda: collection.count_documents({}) > 0)
        os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)

    assert process.returncode == 130, errors
    stored = collection.count_documents({})
    found = re.fullmatch(rf"{stored:,} of 30,000 are stored. To complete them: python -m seeding (.*)\n", errors)
    assert found is not None, errors

    result = run(*found[1].split())
    assert result.returncode == 0, result.stderr
    assert f"({stored:,} were there already)" in result.stdout
    assert collection.count_documents({}) == MANY


def test_a_killed_run_is_completed(
    admin: MongoClient[dict[str, Any]],
    start: Callable[..., subprocess.Popen[str]],
    run: Callable[..., subprocess.CompletedProcess[str]],
    collection: Collection[dict[str, Any]],
) -> None:
    """After kill -9 of the command its workers end too, and running it again completes the set without duplicates."""
    with _held(admin, collection, 7):
        process = start(str(MANY), "--seed", "7", "--workers", "2")
        wait_until(lambda: collection.count_documents({}) > 0)
        workers = _find_workers(process)
        process.kill()
        assert len(workers) == 2
        assert 0 < collection.count_documents({}) < MANY
    _, alive = psutil.wait_procs(workers, timeout=30)
    assert not alive

    result = run(str(MANY), "--seed", "7")
    assert result.returncode == 0, result.stderr
    assert collection.count_documents({}) == MANY


def test_a_killed_worker_is_reported(
    admin: MongoClient[dict[str, Any]],
    start: Callable[..., subprocess.Popen[str]],
    run: Callable[..., subprocess.CompletedProcess[str]],
    collection: Collection[dict[str, Any]],
) -> None:
    """After kill -9 of one worker the command reports it, exits with 1, and completes the set when run again."""
    with _held(admin, collection, 7):
        process = start(str(MANY), "--seed", "7", "--workers", "2")
        wait_until(lambda: collection.count_documents({}) > 0)
        _find_workers(process)[0].kill()
    _, errors = process.communicate(timeout=30)

    assert process.returncode == 1
    assert "A worker process was ended from outside (exit code -9)" in errors
    assert "To complete them: python -m seeding 30000 --seed 7" in errors
    assert run(str(MANY), "--seed", "7").returncode == 0
    assert collection.count_documents({}) == MANY


def test_clearing_gives_its_progress(environment: DatabaseEnvironment, collection: Collection[dict[str, Any]]) -> None:
    """Clearing deletes ids of any type and reports after each step how many are gone."""
    collection.insert_many([{"_id": number if number % 2 else str(number)} for number in range(12_000)])

    with open_loader(environment) as loader:
        gone = list(loader.clear())

    assert gone == sorted(gone)
    assert gone[-1] == 12_000
    assert collection.count_documents({}) == 0


class _Terminal:
    """A command on a pseudo-terminal, with its output."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int) -> None:
        self._process = process
        self._descriptor = descriptor
        self._output = b""

    @property
    def text(self) -> str:
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self._output.decode())

    def read_until(self, marker: bytes) -> None:
        while marker not in self._output:
            assert self._read(), f"ended before {marker!r}: {self.text}"

    def write(self, data: bytes) -> None:
        os.write(self._descriptor, data)

    def wait(self) -> int:
        while self._read():
            pass
        return self._process.wait(timeout=30)

    def _read(self) -> bool:
        assert select.select([self._descriptor], [], [], 30)[0], f"silent for 30 s: {self.text}"
        try:
            data = os.read(self._descriptor, 4096)
        except OSError:  # on Linux, the other end is closed
            return False
        self._output += data
        return bool(data)


@contextmanager
def _open_terminal(environment: DatabaseEnvironment, folder: Path, *arguments: str) -> Iterator[_Terminal]:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        _build_command(*arguments),
        env={**_build_environ(environment), "TERM": "xterm-256color", "COLUMNS": "120"},
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield _Terminal(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
