"""Tables of comparisons and their conditions, for a terminal and for docs/benchmarks.md. It measures nothing."""

from collections.abc import Mapping, Sequence

from rich import box
from rich.table import Table

from benchmarks.measure import Comparison, Series, Unit

_HEADS = ("work", "gateway", "against", "its figure", "ratio", "bound", "holds")
_NUMBERS = frozenset({"gateway", "its figure", "ratio", "bound"})
_COLUMNS = ("program", "median", "lowest", "highest", "ratio", "bound", "holds")
_MANY = 100


def build_table(comparisons: Sequence[Comparison]) -> Table:
    """Build the comparisons of one work for a terminal, one line per program."""
    table = Table(
        title=f"{comparisons[0].work}, {comparisons[0].unit.value}", title_justify="left", box=box.SIMPLE_HEAD
    )
    for column in _COLUMNS:
        table.add_column(column, justify="left" if column in {"program", "holds"} else "right")
    table.add_row(*_build_figures(comparisons[0].ours))
    for comparison in comparisons:
        verdict = _build_verdict(comparison)
        table.add_row(*_build_figures(comparison.theirs), *verdict, style="red" if comparison.holds is False else None)
    return table


def build_markdown(comparisons: Sequence[Comparison]) -> str:
    """Build the comparisons as a Markdown table."""
    rules = ["---:" if head in _NUMBERS else "---" for head in _HEADS]
    lines = [_HEADS, rules, *map(_build_cells, comparisons)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def build_page(comparisons: Sequence[Comparison], conditions: Mapping[str, str], command: str) -> str:
    """Build docs/benchmarks.md: the table, the picture, the conditions, and the command that produced them."""
    listed = "".join(f"- {name}: {value}\n" for name, value in conditions.items())
    return f"""# Benchmarks

`{command}` wrote this page and gives your machine's figures (a part alone: `python -m benchmarks speed count`).

Figures are medians over the rounds, lowest to highest beside them. A ratio is of medians of one run: by what factor the
gateway is better or, where the bound is `≤`, by what factor it takes longer. Before anything is measured, all programs
must give the same answers to the same questions. Each peer is written as its own documentation shows
(benchmarks/peers), but that Flask counts as first versions do: it fetches the rows and filters them in Python.
The gateway runs with its defaults: a card is counted from memory, and those who ask at the same time for the same list,
or for newest pages of whatever days, share a reading of it. Its peers ask MongoDB for each answer.
"uvicorn, shared `hello`" is no peer: it does nothing but prove, by a `hello` that all waiting requests share, that its
count could be current. It shows how much of the time is left for a gateway.

![The gateway beside its peers: a bar for each median](benchmarks.svg)

{build_markdown(comparisons)}
## Conditions

{listed}"""


def format_figure(value: float) -> str:
    """Format a figure with three significant digits, or as a whole number from _MANY on."""
    return f"{value:,.0f}" if value >= _MANY else f"{value:.3g}"


def _build_cells(comparison: Comparison) -> tuple[str, ...]:
    return (
        comparison.work,
        _format_series(comparison.ours, comparison.unit),
        comparison.theirs.name,
        _format_series(comparison.theirs, comparison.unit),
        *_build_verdict(comparison),
    )


def _build_verdict(comparison: Comparison) -> tuple[str, str, str]:
    holds = {True: "yes", False: "no", None: ""}[comparison.holds]
    return format_figure(comparison.ratio), str(comparison.bound or ""), holds


def _build_figures(series: Series) -> tuple[str, ...]:
    return (series.name, *(format_figure(value) for value in (series.median, series.lowest, series.highest)))


def _format_series(series: Series, unit: Unit) -> str:
    spread = f"{format_figure(series.lowest)} to {format_figure(series.highest)}"
    return f"{format_figure(series.median)} {unit.value} ({spread})"
