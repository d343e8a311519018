"""When a program that a benchmark needs is missing or ends, the benchmark reports it and does not wait forever."""

import asyncio
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from pymongo.errors import PyMongoError

from benchmarks.agreement import DisagreementError, fetch_answer
from benchmarks.client import WrongAnswerError
from benchmarks.generator import find_generator
from benchmarks.load import load_by_clients, load_by_rate
from benchmarks.node import Node, install_peers
from benchmarks.peer import APOLLO, Peer, run_peer
from benchmarks.question import REST, Ask
from benchmarks.raw import RawList, open_raw_list
from benchmarks.seeding import insert_ready
from database.environment import DatabaseEnvironment
from seeding.plan import new_plan
from tests.waiting import find_free_port, wait_until

LONGEST_SECONDS = 30


def test_a_load_that_nobody_answers_ends() -> None:
    """If no connection can be made, every request counts as broken, in loads by clients and by rate."""
    url = f"http://127.0.0.1:{find_free_port()}/"
    for load in (load_by_clients(url, 2, 0.1), load_by_rate(url, 20, 0.1)):
        answers = asyncio.run(asyncio.wait_for(load, LONGEST_SECONDS))
        assert (answers.broken, answers.seconds) == (2, {})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_benchmark_that_is_ended_leaves_nothing_behind(number: signal.Signals, tmp_path: Path) -> None:
    """SIGTERM or SIGHUP ends the benchmark with its server and gateway and removes its files, as Ctrl-C does."""
    command, variables = [sys.executable, "-m", "benchmarks", "overload"], {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE) as benchmark:
        process = psutil.Process(benchmark.pid)
        wait_until(lambda: _has_worker(process), "the gateway")
        started = process.children(recursive=True)
        benchmark.send_signal(number)
        assert benchmark.wait(LONGEST_SECONDS) == 128 + number
    assert psutil.wait_procs(started, LONGEST_SECONDS)[1] == []
    assert list(tmp_path.iterdir()) == []


def _has_worker(process: psutil.Process) -> bool:
    """Whether a gateway below the process has workers: one that has only been spawned is not yet cleaned up."""
    # Other children may end while they are inspected.
    with suppress(psutil.NoSuchProcess):
        return any("serve" in child.cmdline() and child.children() for child in process.children())
    return False


def test_a_peer_that_does_not_start_tells_why(environment: DatabaseEnvironment, tmp_path: Path) -> None:
    """The error includes what the peer wrote before it ended."""
    node = Node(Path(sys.executable), "none", tmp_path)
    with (
        pytest.raises(RuntimeError, match=r"A peer ended before it listened:\n.*cluster\.mjs"),
        run_peer(APOLLO, environment, tmp_path, 1, node),
    ):
        pass


def test_a_peer_that_is_gone_is_named(tmp_path: Path) -> None:
    """A peer that cannot be reached raises an error that names it, in the load and in the comparison of responses."""
    url = f"http://127.0.0.1:{find_free_port()}"
    generator = find_generator(None if shutil.which("wrk") else install_peers())
    with pytest.raises(WrongAnswerError, match=r"the peer (could not be asked|answered none)"):
        generator.measure_rate(Peer("the peer", url, REST), [Ask("/")], clients=2, seconds=1, folder=tmp_path)
    with pytest.raises(DisagreementError, match=f"{url}/ does not answer"):
        fetch_answer(url, Ask("/"))


def test_an_inserter_that_fails_is_not_waited_for() -> None:
    """An inserter that fails breaks the barrier at which the other inserters and the clock wait."""
    nobody = DatabaseEnvironment("owner", "benchmark", "127.0.0.1", find_free_port(), "unused")
    barrier = multiprocessing.get_context("spawn").Barrier(2)
    with pytest.raises(PyMongoError):
        insert_ready(nobody, new_plan(10, seed=1), 0, 1, barrier)
    assert barrier.broken


def test_the_limit_is_timed_with_what_is_quickest_for_each_measure(
    environment: DatabaseEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First rows are timed with the batch size that is fastest for them, the whole list with the one fastest for it."""
    taken: dict[int | None, tuple[float, float]] = {None: (1, 9), 1_000: (2, 5), 2_500: (3, 4), 1_000_000: (8, 8)}
    monkeypatch.setattr(RawList, "_take", lambda _, rows: taken[rows])
    with open_raw_list(environment, 365) as raw:
        assert (raw.measure_first(0), raw.measure_whole(0)) == (1, 4)
