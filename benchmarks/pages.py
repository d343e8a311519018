"""Measure the size and quality of the gateway's pages with Lighthouse, over 20,000 transactions.

`python -m benchmarks pages [--write]`. It starts everything itself and leaves nothing behind, except the figures in
docs/pages.md with `--write`.
"""

import argparse
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks.conditions import describe_machine
from benchmarks.growth import Grid, build_terminal_table, replace_figures
from benchmarks.process import open_server, serve_database
from seeding.seeder import seed
from tests.lighthouse import CATEGORIES, DEVICES, Visit, install_lighthouse, visit

_DOCUMENTS = 20_000
_ROUNDS = 3
_PAGES = {"explorer": "/", "GraphiQL": "/graphql", "REST reference": "/docs"}
# Targets for the explorer; the other two pages are third-party programs, listed for comparison.
_OURS, _LEAST_SCORE, _MOST_BYTES = "explorer", 95, 250_000
_DOCS = Path(__file__).parents[1] / "docs/pages.md"


@dataclass(frozen=True, slots=True)
class Judged:
    """The results of all rounds of one page on one device."""

    page: str
    device: str
    visits: Sequence[Visit]

    @property
    def scores(self) -> Mapping[str, int]:
        """The median score of each category."""
        return {name: statistics.median_low(visit.scores[name] for visit in self.visits) for name in CATEGORIES}

    @property
    def size(self) -> int:
        """The bytes of the largest round."""
        return max(visit.size for visit in self.visits)

    @property
    def holds(self) -> bool | None:
        """Whether our page meets the targets of score and size; None for another page."""
        if self.page != _OURS:
            return None
        return min(self.scores.values()) >= _LEAST_SCORE and self.size <= _MOST_BYTES


def main(arguments: list[str]) -> None:
    """Print a line for each page and device, and the conditions."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks pages")
    parser.add_argument("--write", action="store_true", help="write the figures of docs/pages.md")
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds takes a whole number from 1")
    console = Console(highlight=False)
    judged = list(_judge(options.rounds, console))
    grid = build_grid(judged)
    console.print(build_terminal_table(grid))
    conditions = _describe(judged[0].visits[0], arguments, options.rounds)
    for name, value in conditions.items():
        console.print(f"{name}: {value}", markup=False)
    if options.write:
        _DOCS.write_text(replace_figures(_DOCS.read_text(), [grid], conditions))


def build_grid(judged: Sequence[Judged]) -> Grid:
    """Build the table: one line per page and device."""
    return Grid(
        f"Scores of 100 and the first load; of the {_OURS} each score is to be ≥ {_LEAST_SCORE}, and the load"
        f" ≤ {_MOST_BYTES // 1000} KB",
        ["page, device", *CATEGORIES, "KB transferred", "requests", "holds"],
        [_build_line(each) for each in judged],
    )


def _build_line(judged: Judged) -> list[str]:
    return [
        f"{judged.page}, {judged.device}",
        *(str(score) for score in judged.scores.values()),
        f"{judged.size / 1000:,.0f}",
        str(max(visit.requests for visit in judged.visits)),
        {True: "yes", False: "no", None: ""}[judged.holds],
    ]


def _judge(rounds: int, console: Console) -> Iterator[Judged]:
    lighthouse = install_lighthouse()
    with (
        tempfile.TemporaryDirectory() as folder,
        open_server(Path(folder)) as server,
        serve_database(server, Path(folder), 1) as (environment, gateway),
    ):
        seed(environment, _DOCUMENTS, seed=1)
        for page, path in _PAGES.items():
            for device in DEVICES:
                with console.status(f"Loading {page} on a {device} device"):
                    visits = [visit(lighthouse, gateway.url + path, device) for _ in range(rounds)]
                yield Judged(page, device, visits)


def _describe(found: Visit, arguments: Sequence[str], rounds: int) -> dict[str, str]:
    return {
        "command": f"`{' '.join(['python -m benchmarks pages', *arguments])}`",
        **describe_machine(),
        "browser": found.browser,
        "Lighthouse": (
            f"{found.version}, its own presets: desktop, and mobile as a slow phone on a slow line, both simulated from"
            " a load on loopback with an empty cache"
        ),
        "figures": f"medians of {rounds} loads, of bytes the most; bytes are those of compressed answers with headers",
        "gateway": f"one worker, {_DOCUMENTS:,} transactions, mongod, gateway and browser on this machine",
    }
