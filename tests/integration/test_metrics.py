"""Metrics over several workers: complete whichever worker responds, never falling, and leaving nothing behind."""

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from database.environment import DatabaseEnvironment
from gateway.worker_folder import open_worker_folder
from tests.process import GatewayProcess, read_log, run_gateway
from tests.waiting import find_free_port, wait_until

PLANTED = "4111111111111111"


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """The gateway's folder for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.fixture
def gateway(reader_environment: DatabaseEnvironment, tmp_path: Path, temporary: Path) -> Iterator[GatewayProcess]:
    """A gateway with two workers."""
    with run_gateway(reader_environment, find_free_port(), tmp_path, 2, TMPDIR=str(temporary)) as gateway:
        wait_until(lambda: len(list(temporary.glob("*/gauge_max_*"))) == 2, "both workers")
        yield gateway


def list_workers(gateway: GatewayProcess) -> list[psutil.Process]:
    """Return the workers; the parent's other children belong to multiprocessing."""
    children = psutil.Process(gateway.process.pid).children()
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def read_metrics(gateway: GatewayProcess) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return each sample's value by its name and labels."""
    text = httpx.get(f"{gateway.url}/metrics").raise_for_status().text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def get(metrics: dict[tuple[str, frozenset[tuple[str, str]]], float], name: str, **labels: str) -> float:
    return metrics.get((name, frozenset(labels.items())), 0.0)


CARD = "/transactions/{days}/card/{cardType}"


def test_counts_are_those_of_all_workers(gateway: GatewayProcess) -> None:
    """Each of forty requests, on separate connections, is counted once, under the template of its path."""
    for _ in range(40):
        httpx.get(f"{gateway.url}/transactions/90/card/Visa").raise_for_status()
    httpx.get(f"{gateway.url}/{PLANTED}")
    httpx.get(f"{gateway.url}/openapi.json").raise_for_status()
    httpx.get(f"{gateway.url}/transactions/90/country/{PLANTED}")
    httpx.post(
        f"{gateway.url}/graphql", json={"query": "{ a: transactions { totalCount } transactions { totalCount } }"}
    )
    metrics = read_metrics(gateway)
    assert get(metrics, "gateway_requests_total", method="GET", route=CARD, status="200") == 40
    assert get(metrics, "gateway_request_duration_seconds_count", route=CARD) == 40
    assert get(metrics, "gateway_requests_total", method="GET", route="unknown", status="404") == 1
    assert get(metrics, "gateway_requests_total", method="GET", route="/openapi.json", status="200") == 1
    assert get(metrics, "gateway_errors_total", code="INVALID_COUNTRY") == 1
    counted = get(metrics, "gateway_database_duration_seconds_count", command="aggregate")
    assert counted + get(metrics, "gateway_rollup_counts_total", source="memory") == 42
    assert get(metrics, "gateway_graphql_fields_total", field="transactions") == 1
    # The metrics request itself.
    assert get(metrics, "gateway_requests_in_flight") == 1
    assert get(metrics, "gateway_database_pool_connections", state="idle") >= 1
    assert PLANTED not in str(metrics)
    # The change stream behind the rollup takes a connection for a moment, twice a second.
    name = "gateway_database_pool_connections"
    wait_until(lambda: get(read_metrics(gateway), name, state="in_use") == 0, "the connections to be given back")


def test_counts_come_from_memory(gateway: GatewayProcess, tmp_path: Path) -> None:
    """Card counts come from the workers' rollups, and the log reports no other source."""
    name = "gateway_rollup_counts_total"

    def count() -> bool:
        httpx.get(f"{gateway.url}/transactions/90/card/Visa").raise_for_status()
        return get(read_metrics(gateway), name, source="memory") > 1

    wait_until(count, "counts from memory")
    assert get(read_metrics(gateway), "gateway_rollup_lag_seconds") == 0
    told = [line["event"] for line in read_log(tmp_path) if line["event"].startswith("counts come")]
    assert set(told) == {"counts come from memory"}


def test_a_killed_worker_takes_no_counts_along(gateway: GatewayProcess, temporary: Path, tmp_path: Path) -> None:
    """After kill -9 of a worker the totals remain, the restart is counted and logged, and no file is added."""
    for _ in range(10):
        httpx.get(f"{gateway.url}/transactions/90/card/Visa").raise_for_status()
    [folder] = temporary.iterdir()
    before, files = read_metrics(gateway), {path.name for path in folder.iterdir()}
    list_workers(gateway)[0].kill()
    wait_until(lambda: get(read_metrics(gateway), "gateway_worker_restarts_total") == 1, "the count of the restart")
    after = read_metrics(gateway)
    fallen = {name for name, value in before.items() if name[0].endswith("_total") and after.get(name, 0) < value}
    assert not fallen
    assert get(after, "gateway_requests_in_flight") == 1
    assert get(after, "gateway_requests_total", method="GET", route=CARD, status="200") == 10
    assert {path.name for path in folder.iterdir()} == files
    [line] = [line for line in read_log(tmp_path) if "a worker ended" in line["event"]]
    assert (line["level"], line["event"]) == ("error", "a worker ended (exit code -9); starting another")


def test_counts_have_their_room(gateway: GatewayProcess, temporary: Path) -> None:
    """The metrics files are fully allocated from the start, so that a full disk kills no worker that counts."""
    assert httpx.get(f"{gateway.url}/health/ready").is_success
    files = list(temporary.glob("*/*.db"))
    assert len(files) == 10
    for file in files:
        status = file.stat()
        assert status.st_blocks * 512 >= status.st_size, file


def test_nothing_is_left_behind(reader_environment: DatabaseEnvironment, tmp_path: Path, temporary: Path) -> None:
    """A gateway removes its folder when it ends, and when it starts those of killed gateways, but none in use."""
    config = tmp_path / "killed.yaml"
    config.write_text(f"mongo_uri: {reader_environment.connection_uri}\n")
    command = [str(Path(sys.executable).with_name("gateway")), "serve", "--port", "0", "--config", str(config)]
    with subprocess.Popen(command, env={**os.environ, "TMPDIR": str(temporary)}, stdout=subprocess.PIPE) as killed:
        assert killed.stdout
        assert b"answers" in (killed.stdout.readline() + killed.stdout.readline())
        left = set(temporary.iterdir())
        assert len(left) == 1
        first, second = find_free_port(), find_free_port()
        (tmp_path / "first").mkdir()
        with run_gateway(reader_environment, first, tmp_path / "first", TMPDIR=str(temporary)):
            assert left < set(temporary.iterdir())
            killed.kill()
            killed.wait()
            with run_gateway(reader_environment, second, tmp_path, TMPDIR=str(temporary)):
                assert not left & set(temporary.iterdir())
                assert len(list(temporary.iterdir())) == 2
    assert not list(temporary.iterdir())


def test_gateways_that_start_at_the_same_time_leave_each_other_alone(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway that starts while another is about to lock its new folder does not remove that folder."""
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    flock, others = fcntl.flock, ExitStack()

    def start_another_before(*arguments: int) -> None:
        monkeypatch.setattr(fcntl, "flock", flock)
        others.enter_context(open_worker_folder())
        flock(*arguments)

    monkeypatch.setattr(fcntl, "flock", start_another_before)
    with others, open_worker_folder() as folder:
        assert len(list(temporary.iterdir())) == 2
        assert (folder / "lock").exists()
    assert not list(temporary.iterdir())
