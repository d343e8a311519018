"""What benchmarks do where a program that they need is away or ends: they say so, and wait for nobody for ever."""

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
    """Where no connection can be made each request counts as broken, of clients as of a rate."""
    url = f"http://127.0.0.1:{find_free_port()}/"
    for load in (load_by_clients(url, 2, 0.1), load_by_rate(url, 20, 0.1)):
        answers = asyncio.run(asyncio.wait_for(load, LONGEST_SECONDS))
        assert (answers.broken, answers.seconds) == (2, {})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_benchmark_that_is_ended_leaves_nothing_behind(number: signal.Signals, tmp_path: Path) -> None:
    """Its server and gateway end with it, and its files are gone, as after Ctrl-C."""
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
    """Whether a gateway below it has begun to work: one that was started in this moment is nobody's to stop yet."""
    # Others end between two looks at them.
    with suppress(psutil.NoSuchProcess):
        return any("serve" in child.cmdline() and child.children() for child in process.children())
    return False


def test_a_peer_that_does_not_start_tells_why(environment: DatabaseEnvironment, tmp_path: Path) -> None:
    """What a program wrote before it ended is in the error."""
    node = Node(Path(sys.executable), "none", tmp_path)
    with (
        pytest.raises(RuntimeError, match=r"A peer ended before it listened:\n.*cluster\.mjs"),
        run_peer(APOLLO, environment, tmp_path, 1, node),
    ):
        pass


def test_a_peer_that_is_gone_is_named(tmp_path: Path) -> None:
    """Neither its load nor its answer is a fault of the benchmark's own."""
    url = f"http://127.0.0.1:{find_free_port()}"
    generator = find_generator(None if shutil.which("wrk") else install_peers())
    with pytest.raises(WrongAnswerError, match=r"the peer (could not be asked|answered none)"):
        generator.measure_rate(Peer("the peer", url, REST), [Ask("/")], clients=2, seconds=1, folder=tmp_path)
    with pytest.raises(DisagreementError, match=f"{url}/ does not answer"):
        fetch_answer(url, Ask("/"))


def test_an_inserter_that_fails_is_not_waited_for() -> None:
    """Whoever cannot insert breaks the barrier at which the others and the clock stand."""
    nobody = DatabaseEnvironment("owner", "benchmark", "127.0.0.1", find_free_port(), "unused")
    barrier = multiprocessing.get_context("spawn").Barrier(2)
    with pytest.raises(PyMongoError):
        insert_ready(nobody, new_plan(10, seed=1), 0, 1, barrier)
    assert barrier.broken


def test_the_limit_is_timed_with_what_is_quickest_for_each_measure(
    environment: DatabaseEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first bytes have the batch that brings them soonest, the whole list the one that brings that soonest."""
    taken: dict[int | None, tuple[float, float]] = {None: (1, 9), 1_000: (2, 5), 2_500: (3, 4), 1_000_000: (8, 8)}
    monkeypatch.setattr(RawList, "_take", lambda _, rows: taken[rows])
    with open_raw_list(environment, 365) as raw:
        assert (raw.measure_first(0), raw.measure_whole(0)) == (1, 4)
