"""Show a run's progress: a bar on a terminal, elsewhere a line every few seconds."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from seeding.seeder import Progress as Report
from seeding.seeder import SeedReport

_SECONDS_BETWEEN_LINES = 3.0


@contextmanager
def open_progress(console: Console) -> Iterator[Report]:
    """Yield the callback for `seed`'s reports, for the duration of the `with` block."""
    if console.is_terminal:
        with _open_bar(console) as report:
            yield report
    else:
        yield _Lines(console)


def describe_start(report: SeedReport) -> str:
    """Return one line that says what will be stored."""
    until = datetime.fromtimestamp(report.plan.until / 1000, UTC)
    plan = report.plan
    return f"Seeding {plan.count:,} transactions with seed {plan.seed}, dated until {until:%Y-%m-%d %H:%M} UTC"


def describe_end(report: SeedReport) -> str:
    """Return one line that says what was stored."""
    there = f" ({report.found:,} were there already)" if report.found else ""
    rate = round(report.added / report.seconds)
    return f"Stored {report.added:,} transactions in {report.seconds:.1f} s, {rate:,} a second{there}"


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:,.0f}/s")


@contextmanager
def _open_bar(console: Console) -> Iterator[Report]:
    bar = Progress(
        TextColumn("{task.percentage:>3.0f} %"),
        BarColumn(bar_width=None),
        TextColumn("{task.completed:,} of {task.total:,}"),
        _Rate(),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=console,
    )
    with bar:
        task = bar.add_task("", total=None, visible=False)

        def report(so_far: SeedReport) -> None:
            if so_far.stored == 0:
                bar.console.print(describe_start(so_far), highlight=False)
            bar.update(task, total=so_far.plan.count, completed=so_far.stored, visible=True)

        yield report


class _Lines:
    """Print a line at the start and then every few seconds, with the rate since the previous line."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._before: SeedReport | None = None

    def __call__(self, report: SeedReport) -> None:
        if self._before is None:
            self._print(describe_start(report))
            self._before = report
            return
        seconds = report.seconds - self._before.seconds
        if seconds < _SECONDS_BETWEEN_LINES:
            return
        rate = (report.stored - self._before.stored) / seconds
        left = timedelta(seconds=round((report.plan.count - report.stored) / rate))
        share = report.stored / report.plan.count
        self._print(f"{share:4.0%} {report.stored:,} of {report.plan.count:,}, {rate:,.0f}/s, {left} left")
        self._before = report

    def _print(self, line: str) -> None:
        self._console.print(line, highlight=False, soft_wrap=True)
