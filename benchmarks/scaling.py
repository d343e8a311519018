"""Measure how the cost of each query grows with the data: one mongod, one database that grows from size to size.

`python -m benchmarks scaling [SIZE ...] [--write]`. It starts everything itself and leaves nothing behind, except
docs/scaling.svg and the figures in docs/scaling.md with `--write`. Ten million documents take half an hour and 10 GB.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
from pymongo.collection import Collection
from rich.console import Console

from benchmarks.client import Client, WrongAnswerError
from benchmarks.conditions import describe_machine
from benchmarks.copies import MOST_SEEDED, Copier
from benchmarks.curve import build_curves
from benchmarks.growth import Answer, Grid, Size, build_grids, build_terminal_table, replace_figures
from benchmarks.measure import Series
from benchmarks.process import open_server
from benchmarks.profiler import Cost, Profiler, sum_cost
from benchmarks.question import Ask
from benchmarks.workload import Question, Timing, build_questions, build_window
from database.client import open_sync_client
from database.embedded import EmbeddedServer
from database.environment import DatabaseEnvironment
from database.errors import GatewayError
from database.index import CASE_INSENSITIVE, COLLECTION
from seeding.seeder import seed
from tests.process import GatewayProcess, read_log, run_gateway
from tests.waiting import find_free_port, wait_until

_SIZES = (20_000, 200_000, 2_000_000, 10_000_000)
_DOCS = Path(__file__).parents[1] / "docs"
_HOUR_MS = 3_600_000
# Later than the end of the longest run, so that the hour in which a window ends is as full as any.
_HOURS_AHEAD = 6
_SECONDS, _AT_LEAST = 2.0, 5
_WARM_UP_ANSWERS = 50
_BUILD_SECONDS, _POLL_SECONDS = 600.0, 0.1
_STEPS_TOLD = 20
# Longer than the defaults: slow answers must be measured, not refused.
_SETTINGS = {"GATEWAY_DATABASE_TIMEOUT_MS": "60000", "GATEWAY_REQUEST_TIMEOUT_MS": "60000"}
# Reads next to nothing, and warms up a connection.
_LITTLE = Ask("/transactions/0?limit=1")
# What the metrics say when the request for them is the only one.
_ALONE = "gateway_requests_in_flight 1.0"
_ITSELF = Question("count: a card, mongod itself", ())


@dataclass(frozen=True, slots=True)
class _Stage:
    """What runs at one data size: two gateways of one worker each, with and without rollups, and the profiler."""

    kept: GatewayProcess
    plain: GatewayProcess
    profiler: Profiler
    collection: Collection[dict[str, Any]]

    def find_url(self, question: Question) -> str:
        return (self.kept if question.has_rollups else self.plain).url


def main(arguments: list[str]) -> None:
    """Print the tables of the sizes, and write them to docs/ with `--write`."""
    options = _parse(arguments)
    console = Console(highlight=False)
    began = time.monotonic()
    sizes: list[Size] = []
    try:
        with tempfile.TemporaryDirectory() as folder, open_server(Path(folder)) as server:
            until = time.time_ns() // 1_000_000 // _HOUR_MS * _HOUR_MS + _HOURS_AHEAD * _HOUR_MS
            with open_sync_client(server.owner) as client:
                copier = Copier(client[server.owner.database][COLLECTION], until)
                for count in options.sizes:
                    sizes.append(_measure_size(server, Path(folder), count, copier, console))
                    _print_tables(console, build_grids(sizes[-1:]))
    except (GatewayError, WrongAnswerError, RuntimeError) as error:
        sys.exit(f"Nothing is written: {error}")
    grids = build_grids(sizes)
    _print_tables(console, grids)
    conditions = _describe(server.version, arguments, time.monotonic() - began)
    for name, value in conditions.items():
        console.print(f"{name}: {value}", markup=False)
    if options.write:
        page = _DOCS / "scaling.md"
        page.write_text(replace_figures(page.read_text(), grids, conditions))
        (_DOCS / "scaling.svg").write_text(build_curves(sizes))


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks scaling")
    parser.add_argument("sizes", nargs="*", type=int, metavar="SIZE", help="numbers of documents, growing")
    parser.add_argument(
        "--write", action="store_true", help="write docs/scaling.svg and the figures of docs/scaling.md"
    )
    options = parser.parse_args(arguments)
    options.sizes = options.sizes or list(_SIZES)
    if options.sizes != sorted(set(options.sizes)) or options.sizes[0] < 1:
        parser.error("the sizes are whole numbers from 1, each larger than the one before")
    if any(size % MOST_SEEDED for size in options.sizes if size > MOST_SEEDED):
        parser.error(f"sizes beyond {MOST_SEEDED:,} are multiples of it")
    return options


def _print_tables(console: Console, grids: Sequence[Grid]) -> None:
    for grid in grids:
        console.print(build_terminal_table(grid))


def _describe(mongod: str, arguments: Sequence[str], seconds: float) -> dict[str, str]:
    return {
        "command": f"`{' '.join(['python -m benchmarks scaling', *arguments])}`, {seconds / 60:.0f} minutes",
        **describe_machine(),
        "MongoDB": f"{mongod}, embedded, with its cache of at most 4 GB, on loopback",
        "data": (
            f"one set of `gateway seed`, which each size enlarges, beyond {MOST_SEEDED:,} by copies with other ids and"
            " dates; stored in no order of their dates, so that neighbours"
            f" in a list are far apart on the disk; over 52 weeks that end {_HOURS_AHEAD} hours after the start"
        ),
        "gateway": f"one worker, {', '.join(f'{name}={value}' for name, value in _SETTINGS.items())}",
        "latency": (
            f"one client, one connection, medians of at least {_AT_LEAST} answers in {_SECONDS:g} s; what is asked once"
            " for each place or hour, of as many as there are; the first byte each time over a new connection, in use,"
            " after the end of the list before"
        ),
    }


def _measure_size(server: EmbeddedServer, folder: Path, count: int, copier: Copier, console: Console) -> Size:
    """Bring the data to a size and measure all queries there."""
    began = time.monotonic()
    tell = _build_progress(console, count)
    seed(server.owner, min(count, MOST_SEEDED), seed=1, until=copier.until, progress=lambda report: tell(report.stored))
    if count > MOST_SEEDED:
        copier.enlarge(count, tell)
    seconds = time.monotonic() - began
    with _open_stage(server, folder) as stage:
        build_seconds = _await_rollup(folder / "kept")
        console.print(f"{count:,} documents: a worker's counts were built in {build_seconds:.1f} s")
        stored = _measure_storage(stage.collection)
        answers = []
        for question in build_questions(time.time_ns() // 1_000_000, _find_id(stage.collection)):
            answers.append(_answer(stage, question))
            console.print(f"{count:,} documents: {question.name}: {answers[-1].series.median:.2f} ms")
        answers.append(Answer(_ITSELF, _measure_itself(stage.collection), None))
        held = _measure_worker(stage.kept), psutil.Process(server.pid).memory_info().rss
    return Size(count, tuple(answers), stored, seconds, build_seconds, *held)


def _build_progress(console: Console, count: int) -> Callable[[int], None]:
    """Return a function that prints the progress at each twentieth of the way."""
    told, began = -1, time.monotonic()

    def tell(stored: int) -> None:
        nonlocal told
        if (step := stored * _STEPS_TOLD // count) > told:
            told = step
            console.print(f"{count:,} documents: {stored:,} are stored after {time.monotonic() - began:.0f} s")

    return tell


@contextmanager
def _open_stage(server: EmbeddedServer, folder: Path) -> Iterator[_Stage]:
    with ExitStack() as stack:
        client = stack.enter_context(open_sync_client(server.admin))
        # Otherwise the server would write out the loaded data while queries are timed.
        client.admin.command("fsync")
        plain = stack.enter_context(_run_gateway(server.reader, folder / "plain", rollups="off"))
        kept = stack.enter_context(_run_gateway(server.reader, folder / "kept", rollups="on"))
        database = client[server.reader.database]
        yield _Stage(kept, plain, Profiler(database), database[COLLECTION])


@contextmanager
def _run_gateway(reader: DatabaseEnvironment, folder: Path, *, rollups: str) -> Iterator[GatewayProcess]:
    folder.mkdir(exist_ok=True)
    with run_gateway(reader, find_free_port(), folder, GATEWAY_COUNT_ROLLUPS=rollups, **_SETTINGS) as gateway:
        yield gateway


def _await_rollup(folder: Path) -> float:
    """Wait until the gateway that logs to a folder counts from memory; return the seconds that it reports for this."""
    deadline = time.monotonic() + _BUILD_SECONDS
    while time.monotonic() < deadline:
        for line in read_log(folder):
            if line["event"] == "counts come from memory":
                return float(line["duration_ms"]) / 1000
            if line["event"] == "counts come from the database":
                raise RuntimeError(f"the gateway cannot count from memory: {line['reason']}")
        time.sleep(_POLL_SECONDS)
    raise RuntimeError(f"the gateway has built no counts in {_BUILD_SECONDS:g} s")


def _find_id(collection: Collection[dict[str, Any]]) -> str:
    row = collection.find_one({}, {"_id": 1})
    return str(row["_id"]) if row else ""


def _answer(stage: _Stage, question: Question) -> Answer:
    """Time a query as its `timing` says; unless that is START, send it once before with the profiler on."""
    url = stage.find_url(question)
    if question.timing is Timing.START:
        # This query comes first, when the gateway has not answered any yet.
        for _ in range(_WARM_UP_ANSWERS):
            _time_start(url, question.asks[0])
        return Answer(question, _measure(question.name, lambda: _time_start(url, question.asks[0])), None)
    first, *others = question.asks
    _await_quiet(url)
    with closing(Client(url)) as client:
        cost = _profile(stage.profiler, client, first)
        client.ask(_LITTLE)
        if others:
            series = Series(question.name, [1000 * client.ask(ask)[1] for ask in others])
        else:
            series = _measure(question.name, lambda: client.ask(first)[1])
    return Answer(question, series, cost)


def _profile(profiler: Profiler, client: Client, ask: Ask) -> Cost:
    with profiler.watch() as entries:
        client.ask(ask)
    return sum_cost(entries)


def _time_start(url: str, ask: Ask) -> float:
    _await_quiet(url)
    with closing(Client(url)) as client:
        client.ask(_LITTLE)
        return client.start(ask)


def _await_quiet(url: str) -> None:
    """Wait until the gateway has given up a list whose client hung up: it would distort the next measurement."""
    wait_until(lambda: _ALONE in httpx.get(f"{url}/metrics").text.splitlines(), "the end of the last list")


def _measure_itself(collection: Collection[dict[str, Any]]) -> Series:
    """Time the same count with the driver alone, without a gateway."""
    window = build_window(time.time_ns() // 1_000_000)
    wanted = {"cardType": window.card_type, "date": {"$gte": window.since, "$lte": window.until}}

    def count() -> float:
        began = time.perf_counter()
        collection.count_documents(wanted, collation=CASE_INSENSITIVE)
        return time.perf_counter() - began

    count()
    return _measure(_ITSELF.name, count)


def _measure(name: str, take: Callable[[], float]) -> Series:
    """Take figures in s for _SECONDS, and at least _AT_LEAST of them; return them in ms."""
    values: list[float] = []
    began = time.perf_counter()
    while len(values) < _AT_LEAST or time.perf_counter() - began < _SECONDS:
        values.append(1000 * take())
    return Series(name, values)


def _measure_storage(collection: Collection[dict[str, Any]]) -> dict[str, int]:
    """Return the bytes of the data and of each index on disk, without reusable free space in the files.

    That space depends on how fast the data was loaded, and may double the size of a file.
    """
    statistics = collection.database.command({"collStats": collection.name, "indexDetails": True})
    indexes = {
        f"index {name}": size - _get_free(statistics["indexDetails"][name])
        for name, size in statistics["indexSizes"].items()
    }
    return {
        "data": statistics["size"],
        "data on the disk": statistics["storageSize"] - _get_free(statistics["wiredTiger"]),
        **indexes,
        "all indexes": sum(indexes.values()),
    }


def _get_free(statistics: dict[str, Any]) -> int:
    return int(statistics["block-manager"]["file bytes available for reuse"])


def _measure_worker(gateway: GatewayProcess) -> int:
    """Return the private memory of a gateway's worker, in bytes: its other processes hold less."""
    parent = psutil.Process(gateway.process.pid)
    return max(int(each.memory_full_info().uss) for each in (parent, *parent.children(recursive=True)))
