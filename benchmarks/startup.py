"""Compare the gateway's time to the first answer and its memory with those of plain FastAPI + Strawberry.

`python -m benchmarks startup [RUNS]`. It starts its own mongod and leaves nothing behind.
"""

import asyncio
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import click
import psutil

from benchmarks.argument import parse_numbers
from benchmarks.load import load_by_clients
from benchmarks.process import open_server
from database.environment import DatabaseEnvironment
from database.machine import count_cores
from database.provision import provision
from seeding.seeder import seed
from tests.waiting import find_free_port

_ROOT = Path(__file__).parents[1]
_RUNS = 5
_DOCUMENTS = 20_000
_CLIENTS = 16
_LOAD_SECONDS = 5.0
_SAMPLE_SECONDS = 0.2
_START_SECONDS = 60.0
_STOP_SECONDS = 30.0
_TOP = 8
_QUESTION = "/transactions/90/card/Visa"
_LIST = "/transactions/90"
_PACKAGE = re.compile(r"([A-Za-z0-9._-]+)(?:\[.*\])?==")


@dataclass(frozen=True, slots=True)
class _Program:
    name: str
    build_command: Callable[[int, int], list[str]]


def _build_gateway(port: int, workers: int) -> list[str]:
    return [_find_script("gateway"), "serve", "--port", str(port), "--workers", str(workers)]


def _build_peer(port: int, workers: int) -> list[str]:
    options = ["--port", str(port), "--workers", str(workers), "--log-level", "warning", "--no-access-log"]
    return [_find_script("uvicorn"), *options, "benchmarks.peers.strawberry_app:app"]


def _find_script(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


_PROGRAMS = (_Program("gateway", _build_gateway), _Program("FastAPI + Strawberry", _build_peer))


def main(arguments: list[str]) -> None:
    """Print the start times, the times of imports, and the memory of each process, idle and under load."""
    [runs] = parse_numbers("startup", arguments, RUNS=_RUNS)
    workers = count_cores()
    click.echo(
        f"medians of {runs} runs in turns, {workers} workers, {os.cpu_count()} cores, {_DOCUMENTS:,} documents\n"
    )
    _print_environment()
    _print_imports()
    with tempfile.TemporaryDirectory() as folder, open_server(Path(folder)) as server:
        environment = replace(server.admin, database="benchmark")
        provision(environment)
        seed(environment, _DOCUMENTS, seed=1)
        _print_starts(environment, workers, runs)
        _print_memory(environment, workers)


def _print_environment() -> None:
    packages = find_installed((_ROOT / "requirements" / "run.txt").read_text())
    click.echo(f"environment: {len(packages)} packages, {sum(packages.values()) / 1e6:.0f} MB installed\n")


def find_installed(requirements: str) -> dict[str, int]:
    """Return the size in bytes, by name, of each package that a requirements file names and this system has."""
    sizes = {}
    for name in _PACKAGE.findall(requirements):
        # Packages for other systems are not installed on this one.
        with suppress(PackageNotFoundError):
            files = distribution(name).files or []
            sizes[name] = sum(path.stat().st_size for path in map(_locate, files) if path.is_file())
    return sizes


def _locate(file: "os.PathLike[str]") -> Path:
    return Path(file.locate())  # type: ignore[attr-defined]


def _print_imports() -> None:
    command = [sys.executable, "-X", "importtime", "-c", "import gateway.worker"]
    log = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=True, cwd=_ROOT).stderr  # noqa: S603 (our own)
    packages = sum_import_times(log)
    click.echo(f"imports of a worker: {packages.total() / 1e6:.2f} s; of these in seconds:")
    click.echo(", ".join(f"{name} {micros / 1e6:.2f}" for name, micros in packages.most_common(_TOP)) + "\n")


def sum_import_times(log: str) -> Counter[str]:
    """Return the microseconds that each top-level package's own modules took, from the output of `-X importtime`."""
    packages: Counter[str] = Counter()
    for line in log.splitlines():
        _, _, times = line.partition("import time:")
        own, _, rest = times.partition("|")
        if own.strip().isdecimal():
            packages[rest.rpartition("|")[2].strip().partition(".")[0]] += int(own)
    return packages


def _print_starts(environment: DatabaseEnvironment, workers: int, runs: int) -> None:
    helps = [_time_command([_find_script("gateway"), "--help"]) for _ in range(runs)]
    click.echo(f"gateway --help: {statistics.median(helps):.2f} s\n")
    warm: dict[str, list[float]] = {program.name: [] for program in _PROGRAMS}
    cold: dict[str, list[float]] = {program.name: [] for program in _PROGRAMS}
    for _ in range(runs):
        for program in _PROGRAMS:
            with _run(program, environment, workers) as running:
                warm[program.name].append(running.seconds)
            # As right after an installation: no module has been compiled yet.
            with (
                tempfile.TemporaryDirectory() as folder,
                _run(program, environment, workers, PYTHONPYCACHEPREFIX=folder) as running,
            ):
                cold[program.name].append(running.seconds)
    click.echo(f"{'to the first answer, s':<22} {'compiled':>9} {'spread':>13} {'not compiled':>13}")
    for program in _PROGRAMS:
        times = warm[program.name]
        spread = f"{min(times):.2f} to {max(times):.2f}"
        median, uncompiled = statistics.median(times), statistics.median(cold[program.name])
        click.echo(f"{program.name:<22} {median:9.2f} {spread:>13} {uncompiled:13.2f}")
    ours, theirs = (statistics.median(warm[program.name]) for program in _PROGRAMS)
    click.echo(f"{'ratio':<22} {ours / theirs:9.2f}\n")


def _time_command(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)  # noqa: S603 (our own command)
    return time.perf_counter() - began


@dataclass(frozen=True, slots=True)
class _Running:
    url: str
    process: psutil.Process
    seconds: float

    def list_workers(self) -> list[psutil.Process]:
        """Return the processes that serve requests: multiprocessing's resource trackers hold next to nothing."""
        children = self.process.children(recursive=True)
        return [child for child in children if "resource_tracker" not in " ".join(child.cmdline())]


@contextmanager
def _run(program: _Program, environment: DatabaseEnvironment, workers: int, **variables: str) -> Iterator[_Running]:
    """Run a program; its `seconds` are the time to its first answer from the database."""
    port = find_free_port()
    own = {"MONGO_URI": environment.connection_uri, "GATEWAY_LOG_LEVEL": "error"}
    began = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 (our own command)
        program.build_command(port, workers),
        cwd=_ROOT,
        env={**os.environ, **own, **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            while not _answers(url + _QUESTION):
                if process.poll() is not None or time.perf_counter() > began + _START_SECONDS:
                    sys.exit(f"{program.name} did not start.")
                time.sleep(0.005)
            yield _Running(url, psutil.Process(process.pid), time.perf_counter() - began)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(_STOP_SECONDS)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=_START_SECONDS) as answer:  # noqa: S310 (a URL of ours)
            return bool(answer.status == 200)  # noqa: PLR2004
    except (urllib.error.URLError, ConnectionError):
        return False


def _print_memory(environment: DatabaseEnvironment, workers: int) -> None:
    click.echo(
        f"{'memory, MB':<22} {'parent':>7} {'worker':>7} {'loaded':>7}   (what each holds alone; {_CLIENTS} clients)"
    )
    for program in _PROGRAMS:
        with _run(program, environment, workers) as running:
            # So that each worker has answered at least once before it is measured.
            asyncio.run(load_by_clients(running.url + _QUESTION, _CLIENTS, 1.0))
            parent, idle = _measure(running.process), max(map(_measure, running.list_workers()))
            loaded = asyncio.run(_measure_under_load(running))
        click.echo(f"{program.name:<22} {parent:7.1f} {idle:7.1f} {loaded:7.1f}")


def _measure(process: psutil.Process) -> float:
    return float(process.memory_full_info().uss) / 1e6


async def _measure_under_load(running: _Running) -> float:
    """Return the peak memory of a worker, in MB, while clients request lists."""
    workers = running.list_workers()
    load = asyncio.create_task(load_by_clients(running.url + _LIST, _CLIENTS, _LOAD_SECONDS))
    most = 0.0
    while not load.done():
        await asyncio.wait([load], timeout=_SAMPLE_SECONDS)
        most = max(most, *map(_measure, workers))
    await load
    return most
