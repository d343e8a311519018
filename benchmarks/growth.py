"""Tables of what grows with the data, for a terminal and for docs/scaling.md. It measures nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table

from benchmarks.measure import Comparison, Series, Unit
from benchmarks.profiler import Cost
from benchmarks.table import format_figure
from benchmarks.workload import Question

_BEGIN, _END = "<!-- figures begin -->\n", "<!-- figures end -->\n"
_MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class Answer:
    """The latencies of a query at one data size, in ms, and its cost if the profiler saw all of it."""

    question: Question
    series: Series
    cost: Cost | None


@dataclass(frozen=True, slots=True)
class Size:
    """All results at one data size.

    Attributes:
        stored: bytes of the data and of each index, by name.
        seconds: how long it took to add the documents beyond the previous size.
        build_seconds: how long a worker took to build its counts.
        worker_bytes: that worker's private memory afterwards.
        server_bytes: mongod's memory at the end.
    """

    documents: int
    answers: tuple[Answer, ...]
    stored: Mapping[str, int]
    seconds: float
    build_seconds: float
    worker_bytes: int
    server_bytes: int


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: its title, column heads and lines."""

    title: str
    heads: Sequence[str]
    lines: Sequence[Sequence[str]]


def build_grids(sizes: Sequence[Size]) -> tuple[Grid, ...]:
    """Build the tables over all sizes, smallest first."""
    heads = [f"{size.documents:,}" for size in sizes]
    questions = list(zip(*(size.answers for size in sizes), strict=True))
    return (
        Grid(
            "Median latency of one client, ms; the last ratio is of the largest data against the smallest",
            ["question", *heads, "ratio", "bound", "holds"],
            [_build_latencies(answers) for answers in questions],
        ),
        Grid(
            "Commands on the collection, keys and documents that they read, at the largest size the plan",
            ["question", *heads, "plan"],
            [_build_costs(answers) for answers in questions if answers[0].cost],
        ),
        Grid("What the data takes", ["", *heads], list(_build_sizes(sizes))),
    )


def build_terminal_table(grid: Grid) -> Table:
    """Build a table for a terminal."""
    table = Table(title=grid.title, title_justify="left", box=box.SIMPLE_HEAD)
    for number, head in enumerate(grid.heads):
        table.add_column(head, justify="right" if number else "left")
    for line in grid.lines:
        table.add_row(*line, style="red" if line[-1] == "no" else None)
    return table


def replace_figures(page: str, grids: Sequence[Grid], conditions: Mapping[str, str]) -> str:
    """Return the page with these tables and conditions between its two markers; the text around them is kept.

    Raises:
        ValueError: a marker is missing.
    """
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"The page has no lines {_BEGIN.strip()!r} and {_END.strip()!r}.")
    tables = "\n".join(_build_markdown(grid) for grid in grids)
    listed = "".join(f"- {name}: {value}\n" for name, value in conditions.items())
    return f"{before}{begin}\n{tables}\n{listed}\n{end}{after}"


def _build_markdown(grid: Grid) -> str:
    lines = [grid.heads, ["---", *(["---:"] * (len(grid.heads) - 1))], *grid.lines]
    return f"{grid.title}:\n\n" + "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _build_latencies(answers: Sequence[Answer]) -> list[str]:
    question, smallest, largest = answers[0].question, answers[0].series, answers[-1].series
    grown = Comparison(question.name, Unit.TIME, largest, smallest, question.bound)
    holds = {True: "yes", False: "no", None: ""}[grown.holds]
    medians = [format_figure(answer.series.median) for answer in answers]
    ratio = format_figure(largest.median / smallest.median)
    return [question.name, *medians, ratio, str(question.bound or ""), holds]


def _build_costs(answers: Sequence[Answer]) -> list[str]:
    costs = [answer.cost for answer in answers if answer.cost]
    cells = [f"{cost.commands:,}; {cost.keys:,}; {cost.documents:,}" for cost in costs]
    return [answers[0].question.name, *cells, costs[-1].plan]


def _build_sizes(sizes: Sequence[Size]) -> Iterator[list[str]]:
    """Yield the lines: disk sizes per million documents, because they grow with these; memory in total."""
    for name in sizes[0].stored:
        # A megabyte per million documents is a byte per document.
        yield [f"{name}, MB a million", *(format_figure(size.stored[name] / size.documents) for size in sizes)]
    yield ["mongod's memory, MB", *(f"{size.server_bytes / _MEGABYTE:,.0f}" for size in sizes)]
    yield ["a worker's counts: built in s", *(format_figure(size.build_seconds) for size in sizes)]
    yield ["a worker's memory, MB", *(f"{size.worker_bytes / _MEGABYTE:,.0f}" for size in sizes)]
    yield ["seeded (what was added) in s", *(format_figure(size.seconds) for size in sizes)]
