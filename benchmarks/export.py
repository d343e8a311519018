"""Measure an export of many rows in each format: time, size and the gateway's memory; Polars reads each one back.

`python -m benchmarks export [ROWS]`. It starts everything itself and leaves nothing behind.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import httpx
import polars as pl
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.conditions import describe_machine
from benchmarks.copies import MOST_SEEDED, Copier
from benchmarks.process import open_server, serve_database
from database.client import open_sync_client
from database.environment import DatabaseEnvironment
from database.index import COLLECTION
from database.query import FIELDS
from seeding.seeder import seed

_ROWS = 100_000
_PATH = "/transactions/366"
_SAMPLE_SECONDS = 0.02
_TIMEOUT_SECONDS = 120
_MEGABYTE = 1_000_000
# The column types that Polars finds in each format; all other columns are strings. It infers those of CSV by itself.
_PLAIN: dict[str, pl.DataType] = {"date": pl.Int64(), "amount": pl.Float64()}
_TYPED: dict[str, pl.DataType] = {"date": pl.Datetime("ms", "UTC"), "amount": pl.Float64()}
_READERS: dict[str, tuple[Callable[[Path], pl.DataFrame], dict[str, pl.DataType]]] = {
    "json": (pl.read_json, _PLAIN),
    "ndjson": (pl.read_ndjson, _PLAIN),
    "csv": (pl.read_csv, _PLAIN),
    "parquet": (pl.read_parquet, _TYPED),
    "arrow": (pl.read_ipc_stream, _TYPED),
}


@dataclass(frozen=True, slots=True)
class _Download:
    """One whole export; memory is the resident size of the gateway's processes, in bytes."""

    seconds: float
    size: int
    before: int
    most: int
    after: int


def main(arguments: list[str]) -> None:
    """Print a line for each format, and the conditions."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks export")
    parser.add_argument("rows", nargs="?", type=int, default=_ROWS)
    rows = parser.parse_args(arguments).rows
    if rows < 1 or (rows > MOST_SEEDED and rows % MOST_SEEDED):
        parser.error(f"ROWS is a number from 1, and beyond {MOST_SEEDED} a multiple of it")
    console = Console()
    table = _build_table(rows)
    with (
        tempfile.TemporaryDirectory() as name,
        open_server(Path(name)) as server,
        serve_database(server, Path(name), 1) as (environment, gateway),
    ):
        with console.status(f"Storing {rows:,} documents"):
            _fill(environment, rows)
        process = psutil.Process(gateway.process.pid)
        _download(gateway.url, "json", process, Path(name) / "warm-up", limit=1_000)
        for each, (read, types) in _READERS.items():
            file = Path(name) / f"export.{each}"
            with console.status(f"Downloading {each}"):
                download = _download(gateway.url, each, process, file)
            _check(each, read(file), rows, types)
            file.unlink()
            _add_line(table, each, download, rows)
    console.print(table)
    for label, value in describe_machine().items():
        console.print(f"{label}: {value}", highlight=False, markup=False)


def _fill(environment: DatabaseEnvironment, rows: int) -> None:
    # Data ends now: later documents would lie beyond the end of the window.
    until = time.time_ns() // 1_000_000
    seed(environment, min(rows, MOST_SEEDED), seed=1, until=until)
    if rows > MOST_SEEDED:
        with open_sync_client(environment) as client:
            Copier(client[environment.database][COLLECTION], until).enlarge(rows, lambda _: None)


def _download(url: str, name: str, process: psutil.Process, file: Path, **parameters: int) -> _Download:
    """Download to a file, without compression other than the format's own."""
    before = _measure(process)
    began = time.perf_counter()
    with (
        _watch(process) as samples,
        file.open("wb") as target,
        httpx.stream(
            "GET",
            url + _PATH,
            params={"format": name, **parameters},
            headers={"Accept-Encoding": "identity"},
            timeout=_TIMEOUT_SECONDS,
        ) as response,
    ):
        response.raise_for_status()
        for part in response.iter_raw():
            target.write(part)
    seconds = time.perf_counter() - began
    return _Download(seconds, file.stat().st_size, before, max([before, *samples]), _measure(process))


@contextmanager
def _watch(process: psutil.Process) -> Iterator[list[int]]:
    """Sample the memory until the block ends."""
    samples: list[int] = []
    done = Event()

    def sample() -> None:
        while not done.wait(_SAMPLE_SECONDS):
            samples.append(_measure(process))

    thread = Thread(target=sample)
    thread.start()
    try:
        yield samples
    finally:
        done.set()
        thread.join()


def _measure(process: psutil.Process) -> int:
    return sum(each.memory_info().rss for each in [process, *process.children(recursive=True)])


def _check(name: str, frame: pl.DataFrame, rows: int, types: dict[str, pl.DataType]) -> None:
    expected = pl.Schema({field: types.get(field, pl.String()) for field in FIELDS})
    if frame.height != rows or frame.schema != expected:
        sys.exit(f"Nothing is stated: {name} has {frame.height:,} rows of {frame.schema}.")


def _build_table(rows: int) -> Table:
    table = Table(title=f"{rows:,} rows, one worker, read back by Polars with the right types and number of rows")
    table.add_column("format")
    for column in ("MB", "s", "rows/s", "MB of memory before", "at most", "after"):
        table.add_column(column, justify="right")
    return table


def _add_line(table: Table, name: str, download: _Download, rows: int) -> None:
    memory = (f"{size / _MEGABYTE:,.0f}" for size in (download.before, download.most, download.after))
    size, seconds = f"{download.size / _MEGABYTE:,.1f}", f"{download.seconds:,.1f}"
    table.add_row(name, size, seconds, f"{rows / download.seconds:,.0f}", *memory)
