"""Simulation on a real mongod: paced, dated now, without duplicates, and continued after an outage."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo.collection import Collection

from database.embedded import EmbeddedServer
from database.environment import DatabaseEnvironment
from database.errors import DatabaseRefusedError
from schema.context import read_clock_ms
from seeding.pace import Pace
from seeding.simulation import SimulationReport, simulate
from tests.waiting import hang, wait_until

FAST = Pace(500, 1)


@pytest.fixture
def start(environment: DatabaseEnvironment, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """A function that starts the command."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("gateway")), "simulate", *arguments],
            env={**os.environ, "MONGO_URI": environment.connection_uri},
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_transactions_are_stored_at_the_rate_and_dated_now(
    environment: DatabaseEnvironment, collection: Collection[dict[str, Any]]
) -> None:
    """The requested number is stored at the rate, never early, each document complete and dated when it is stored."""
    reports: list[SimulationReport] = []
    before = read_clock_ms()
    report = simulate(environment, FAST, seed=7, stop=threading.Event(), most=300, watch=reports.append)
    dates = [document["date"] for document in collection.find()]
    assert report.stored == len(dates) == 300
    assert all(each.stored <= FAST.count_due(each.seconds) for each in reports)
    assert before <= min(dates) <= max(dates) <= read_clock_ms()
    assert len(set(dates)) > 10
    kinds = {"_id": "string", "date": "long", "amount": "double", "cardNumber": "string", "countryOrigin": "string"}
    assert collection.count_documents({key: {"$type": kind} for key, kind in kinds.items()}) == 300


def test_a_seed_gives_the_same_purchases_again(
    environment: DatabaseEnvironment, collection: Collection[dict[str, Any]]
) -> None:
    """The same seed yields the same purchases in the same order, with new ids."""
    runs = []
    for _ in range(2):
        known = {document["_id"] for document in collection.find()}
        simulate(environment, FAST, seed=7, stop=threading.Event(), most=60)
        found = [document for document in collection.find().sort("$natural", 1) if document["_id"] not in known]
        runs.append([{key: document[key] for key in ("vendor", "amount", "cardNumber")} for document in found])
    assert runs[0] == runs[1]
    assert len(runs[0]) == 60


def test_who_may_not_write_is_told(reader_environment: DatabaseEnvironment) -> None:
    """A read-only user gets an error at once instead of waiting."""
    with pytest.raises(DatabaseRefusedError, match="does not permit"):
        simulate(reader_environment, FAST, seed=7, stop=threading.Event(), most=1)


def test_it_goes_on_when_the_database_comes_back(
    mongod: EmbeddedServer, environment: DatabaseEnvironment, collection: Collection[dict[str, Any]]
) -> None:
    """While a server hangs, reports say so; then simulation resumes at its rate and stores each transaction once."""
    # Detected within a second, whatever the driver's own timeouts.
    impatient = DatabaseEnvironment(uri=f"{environment.connection_uri}&socketTimeoutMS=500")
    reports: list[SimulationReport] = []
    stop = threading.Event()
    thread = threading.Thread(
        target=simulate, args=(impatient, Pace(200, 1)), kwargs={"seed": 7, "stop": stop, "watch": reports.append}
    )
    thread.start()
    try:
        wait_until(lambda: reports and reports[-1].stored > 20, "the first to be stored")
        hang(mongod.pid)
        try:
            wait_until(lambda: reports[-1].trouble, "the trouble to be told")
            stored = reports[-1].stored
        finally:
            os.kill(mongod.pid, signal.SIGCONT)
        wait_until(lambda: not reports[-1].trouble and reports[-1].stored > stored + 20, "it to go on")
    finally:
        stop.set()
        thread.join()
    assert collection.count_documents({}) == reports[-1].stored
    assert all(each.stored <= 200 * each.seconds for each in reports)


def test_ctrl_c_ends_it_cleanly(
    start: Callable[..., subprocess.Popen[str]], collection: Collection[dict[str, Any]]
) -> None:
    """Without a limit, Ctrl-C is the regular end: exit code 0, and a line that says what was stored."""
    process = start("--rate", "100")
    wait_until(lambda: collection.count_documents({}), "the first transaction")
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert f"Stored {collection.count_documents({}):,} transactions in " in output


@pytest.mark.parametrize(("arguments", "code"), [(["--count", "20"], 0), (["--seconds", "1"], 0)])
def test_it_ends_by_itself(
    start: Callable[..., subprocess.Popen[str]],
    collection: Collection[dict[str, Any]],
    arguments: list[str],
    code: int,
) -> None:
    """After the given number of transactions or seconds it ends and reports what it stored."""
    process = start("--rate", "20", *arguments)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == code
    stored = collection.count_documents({})
    assert 1 <= stored <= 20
    assert f"Stored {stored} transactions" in output


def test_ctrl_c_before_its_end_is_told(
    start: Callable[..., subprocess.Popen[str]], collection: Collection[dict[str, Any]]
) -> None:
    """Ctrl-C before the requested count is reached exits with 130."""
    process = start("--rate", "20", "--count", "100000")
    wait_until(lambda: collection.count_documents({}), "the first transaction")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
