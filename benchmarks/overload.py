"""Measure accepted and rejected requests under four times the load that a gateway can sustain.

`python -m benchmarks overload [SECONDS]`. It starts its own mongod and gateway and leaves nothing behind.
"""

import asyncio
import os
import tempfile
from pathlib import Path

import click
import psutil

from benchmarks.argument import parse_numbers
from benchmarks.load import Answers, load_by_clients, load_by_rate
from benchmarks.process import open_server, serve_database
from database.machine import count_cores
from seeding.seeder import seed

_DOCUMENTS = 20_000
_SECONDS = 30
_QUESTIONS = {
    "list of 90 days": "/transactions/90",
    "a page of 100": "/transactions/90?limit=100",
    "count by card": "/transactions/90/card/Visa",
}
_TIMES = 4
_UNLOADED = 0.1
_OK, _UNAVAILABLE = 200, 503


def main(arguments: list[str]) -> None:
    """Print, for each request: the load, the share accepted, the p99 beside that of a light load, and memory."""
    [seconds] = parse_numbers("overload", arguments, SECONDS=_SECONDS)
    workers = count_cores()
    with (
        tempfile.TemporaryDirectory() as folder,
        open_server(Path(folder)) as server,
        serve_database(server, Path(folder), workers) as (environment, gateway),
    ):
        seed(environment, _DOCUMENTS, seed=1)
        click.echo(
            f"{_DOCUMENTS:,} documents, {workers} workers on {os.cpu_count()} cores that mongod and the load share, "
            f"{_TIMES} times the sustainable load for {seconds} s\n"
        )
        click.echo(
            f"{'question':<16} {'sustained/s':>11} {'accepted/s':>10} {'turned away':>11} {'p99 alone':>10} "
            f"{'p99 accepted':>12} {'ratio':>6} {'p99 of 503':>10} {'other':>5} {'memory':>15}"
        )
        for name, path in _QUESTIONS.items():
            asyncio.run(_measure(name, gateway.url + path, workers, seconds, gateway.process.pid))


async def _measure(name: str, url: str, workers: int, seconds: float, pid: int) -> None:
    sustained = (await load_by_clients(url, 2 * workers, seconds / 3)).count(_OK) / (seconds / 3)
    alone = await load_by_rate(url, sustained * _UNLOADED, max(seconds, 200 / (sustained * _UNLOADED)))
    before = _measure_memory(pid)
    answers = await load_by_rate(url, sustained * _TIMES, seconds)
    after = _measure_memory(pid)
    slowest_alone, slowest = alone.get_quantile(_OK, 0.99), answers.get_quantile(_OK, 0.99)
    accepted, refused = answers.count(_OK), answers.count(_UNAVAILABLE)
    click.echo(
        f"{name:<16} {sustained:11.0f} {accepted / seconds:10.0f} {refused / (accepted + refused):11.0%} "
        f"{_in_ms(slowest_alone):>10} {_in_ms(slowest):>12} {slowest / slowest_alone:6.1f} "
        f"{_in_ms(answers.get_quantile(_UNAVAILABLE, 0.99)) if refused else '-':>10} {_count_other(answers):5} "
        f"{before:5.0f} -> {after:4.0f} MB"
    )


def _count_other(answers: Answers) -> int:
    known = answers.count(_OK) + answers.count(_UNAVAILABLE)
    return answers.broken + sum(len(times) for times in answers.seconds.values()) - known


def _measure_memory(pid: int) -> float:
    parent = psutil.Process(pid)
    return sum(process.memory_info().rss for process in [parent, *parent.children(recursive=True)]) / 1e6


def _in_ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
