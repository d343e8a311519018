"""The command `gateway simulate`. It handles input and output only; simulation.py does the work."""

# ruff: noqa: PLC0415 (a command imports what it needs when it runs, so that other commands start faster)

import math
import os
import secrets
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from seeding.option import DATA_FOLDER, build_epilog, config_option
from seeding.pace import BURST_SECONDS, CYCLE_SECONDS, Pace

if TYPE_CHECKING:
    from rich.console import Console

    from seeding.simulation import SimulationReport

_INTERRUPTED = 130
_SECONDS_BETWEEN_LINES = 10.0


class _Number(click.FloatRange):
    def convert(self, value: float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = super().convert(value, param, ctx)
        # The range check of click accepts NaN.
        if math.isnan(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return float(number)


@click.command(
    "simulate",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=build_epilog(
        "gateway simulate", "gateway simulate --rate 5 --burst 1", "gateway simulate --rate 200 --seconds 60 --seed 7"
    ),
)
@click.option(
    "--rate", type=_Number(0, 10_000, min_open=True), default=50, show_default=True, help="Transactions a second."
)
@click.option(
    "--burst",
    type=_Number(1, 100),
    default=10,
    show_default=True,
    help=f"Multiple of the rate in the last {BURST_SECONDS} of every {CYCLE_SECONDS} seconds; 1 for no bursts.",
)
@click.option("--count", "most", type=click.IntRange(1), help="End after this many transactions.  [default: no end]")
@click.option("--seconds", type=_Number(0, min_open=True), help="End after this many seconds.  [default: no end]")
@click.option("--seed", "seed_number", type=int, help="Which transactions; random ones if not given.")
@config_option
@click.pass_context
def simulate_command(
    context: click.Context,
    rate: float,
    burst: float,
    most: int | None,
    seconds: float | None,
    seed_number: int | None,
    config: Path,
) -> None:
    """Keep adding made-up transactions, dated now.

    Adds them to the configured database at a rate with bursts, until Ctrl-C, so that live views have something to show.

    Uses the server of --config, which is also the one that a running `gateway up` uses. If none answers at a local
    address, starts the embedded one with its data in .data. Creates the collection and its indexes if they are missing.
    If the database goes away, says so and continues when it is back, without exceeding the rate to catch up.

    The same --seed gives the same purchases in the same order; their ids and dates are new each time.
    """
    from rich.console import Console

    from database.embedded import reach_server
    from database.environment import load_environment
    from database.provision import provision
    from seeding.simulation import simulate

    console = Console(highlight=False)
    seed_number = secrets.randbelow(2**32) if seed_number is None else seed_number
    with reach_server(load_environment(config, os.environ), DATA_FOLDER, notify=click.echo) as server:
        provision(server.owner)
        bursts = f", {burst:g} times as many in bursts" if burst > 1 else ""
        click.echo(f"Adding {rate:g} transactions a second{bursts}, with seed {seed_number}. Ctrl-C ends it.")
        with _interrupts() as stop, _open_display(console) as display:
            report = simulate(
                server.owner,
                Pace(rate, burst),
                seed=seed_number,
                stop=stop,
                most=most,
                seconds=seconds,
                watch=display.show,
            )
    click.echo(f"Stored {_describe(report)}")
    if stop.is_set() and (most is not None or seconds is not None):
        context.exit(_INTERRUPTED)


def _describe(report: "SimulationReport") -> str:
    rate = report.stored / report.seconds if report.seconds else 0
    return f"{report.stored:,} transactions in {report.seconds:,.1f} s, {rate:,.1f} a second"


@contextmanager
def _open_display(console: "Console") -> Iterator["_Display"]:
    if not console.is_terminal:
        yield _Display()
        return
    with console.status("Beginning ...") as status:
        yield _Display(status.update)


class _Display:
    """Show one changing line on a terminal, elsewhere one every few seconds; report when trouble begins or ends."""

    def __init__(self, update: Callable[[str], None] | None = None) -> None:
        self._update = update
        self._printed_at = 0.0
        self._in_trouble = False

    def show(self, report: "SimulationReport") -> None:
        """Show the progress."""
        if report.trouble and not self._in_trouble:
            click.echo(f"{report.trouble} It goes on when the database is back.", err=True)
        elif self._in_trouble and not report.trouble:
            click.echo("The database is back.", err=True)
        self._in_trouble = report.trouble is not None
        if self._update:
            self._update(_describe(report))
        elif report.seconds - self._printed_at >= _SECONDS_BETWEEN_LINES:
            self._printed_at = report.seconds
            click.echo(_describe(report))


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Make Ctrl-C and SIGTERM set an event, so that the current step is still counted; a second signal interrupts."""
    interrupted = threading.Event()

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        if interrupted.is_set():
            raise KeyboardInterrupt
        interrupted.set()

    before = [(number, signal.signal(number, interrupt)) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        yield interrupted
    finally:
        for number, handler in before:
            signal.signal(number, handler)
