"""The command `gateway seed`, also `python -m seeding`. It handles input and output only; seeder.py does the work."""

# ruff: noqa: PLC0415 (a command imports what it needs when it runs, so that other commands start faster)

import os
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from database.errors import GatewayError
from seeding.error import SeedingError
from seeding.option import DATA_FOLDER, build_epilog, config_option

if TYPE_CHECKING:
    from rich.console import Console

    from database.environment import DatabaseEnvironment
    from seeding.seeder import SeedReport

_INTERRUPTED = 130
_TOO_FEW = "too few: at least 1 transaction."


class _Command(click.Command):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            # click takes a negative number for an option, and "no such option: -5" would explain nothing.
            if not error.option_name[1:2].isdigit():
                raise
            raise click.BadParameter(_TOO_FEW, ctx, param_hint="'COUNT'") from None


class _Count(click.ParamType[int]):
    name = "count"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if not value.isascii() or not value.isdigit() or len(value) > 20:  # noqa: PLR2004 (no disk holds more)
            self.fail(f"{value[:40]!r} is not a whole number, such as 20000.", param, ctx)
        if (count := int(value)) < 1:
            self.fail(_TOO_FEW, param, ctx)
        return count


class _Moment(click.ParamType[int]):
    """A past time in ISO 8601, in UTC unless it has an offset, converted to milliseconds since the epoch."""

    name = "time"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            moment = datetime.fromisoformat(value)
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value[:40]!r} is no time in ISO 8601, such as 2026-01-31 or 2026-01-31T18:00Z.", param, ctx)
        if moment > datetime.now(UTC):
            self.fail(f"{value} is in the future: no purchase may be.", param, ctx)
        return round(moment.timestamp() * 1000)


@click.command(
    "seed",
    cls=_Command,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=build_epilog(
        "gateway seed 20000", "gateway seed 1000000 --seed 7 --until 2026-01-01", "gateway seed 5000 --replace"
    ),
)
@click.argument("count", type=_Count())
@click.option("--seed", "seed_number", type=int, help="Which set of transactions; a random one if not given.")
@click.option("--until", type=_Moment(), help="The latest date, in ISO 8601.  [default: the start of this hour, UTC]")
@click.option(
    "--workers", type=click.IntRange(1, 256), help="Processes that generate and load.  [default: one per core]"
)
@click.option("--replace", is_flag=True, help="Delete all transactions first. Asks before it does.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@config_option
@click.pass_context
def seed(
    context: click.Context,
    count: int,
    seed_number: int | None,
    until: int | None,
    workers: int | None,
    replace: bool,  # noqa: FBT001 (click passes it by name)
    yes: bool,  # noqa: FBT001 (as above)
    config: Path,
) -> None:
    """Add COUNT made-up transactions to the configured database.

    Uses the server of --config; if none answers at a local address, runs the embedded one meanwhile, with its data in
    .data. Creates the collection and its indexes if they are missing.

    The same --seed gives the same transactions on every machine and for any number of workers, and a larger COUNT
    extends a smaller one. Stored transactions are left alone: after Ctrl-C or a crash, the same command completes the
    set. All dates lie in the 52 weeks before --until; a later --until gives new dates only to the oldest ones. With the
    same --until as well, every date is the same. (A new release may bring another Faker, and with it other vendors and
    addresses.)
    """
    from rich.console import Console

    from database.embedded import reach_server
    from database.environment import load_environment
    from database.provision import provision

    if replace and not yes and not sys.stdin.isatty():
        raise click.UsageError(
            "--replace deletes all transactions, and nobody is at a terminal to be asked: add --yes."
        )
    console = Console(highlight=False)
    try:
        with reach_server(load_environment(config, os.environ), DATA_FOLDER, notify=click.echo) as server:
            provision(server.owner)
            if replace:
                _clear(server.owner, console, count, ask=not yes)
            _seed(context, server.owner, console, count, seed_number, until, workers)
    except (KeyboardInterrupt, click.Abort):
        click.echo("Stopped.", err=True)
        context.exit(_INTERRUPTED)


def _clear(environment: "DatabaseEnvironment", console: "Console", count: int, *, ask: bool) -> None:
    from database.loader import open_loader
    from seeding.seeder import check_space

    with open_loader(environment) as loader:
        held = loader.count()
        place = f"database {environment.database} at {environment.address}"
        if not held:
            click.echo(f"Nothing to delete: {place} holds no transactions")
            return
        # Check first, so that a run without enough space deletes nothing; the space of the deleted ones is reused.
        check_space(loader, count, held)
        if ask:
            click.confirm(f"Delete all {held:,} transactions of {place}?", abort=True)
        gone = 0
        with console.status("Deleting ...") as status:
            for gone in loader.clear():
                status.update(f"Deleting ... {gone:,} of {held:,}")
    click.echo(f"Deleted {gone:,} transactions of {place}")


def _seed(
    context: click.Context,
    environment: "DatabaseEnvironment",
    console: "Console",
    count: int,
    seed_number: int | None,
    until: int | None,
    workers: int | None,
) -> None:
    from seeding.progress import describe_end, open_progress
    from seeding.seeder import seed

    last: SeedReport | None = None
    with open_progress(console) as show:

        def watch(report: "SeedReport") -> None:
            nonlocal last
            last = report
            show(report)

        try:
            report = seed(environment, count, seed=seed_number, until=until, workers=workers, progress=watch)
        except GatewayError as error:
            if last is None:
                raise
            raise SeedingError(f"{error}\n{_describe_rest(context, last)}") from error
        except KeyboardInterrupt:
            click.echo(_describe_rest(context, last) if last else "Stopped before anything was stored.", err=True)
            context.exit(_INTERRUPTED)
    click.echo(describe_end(report))


def _describe_rest(context: click.Context, report: "SeedReport") -> str:
    plan = report.plan
    until = datetime.fromtimestamp(plan.until / 1000, UTC).isoformat().replace("+00:00", "Z")
    command = f"{context.command_path} {plan.count} --seed {plan.seed} --until {until}"
    # Repeat the user's options, except --replace, which would start over.
    for option in ("workers", "config"):
        if context.get_parameter_source(option) is ParameterSource.COMMANDLINE:
            command += f" --{option} {shlex.quote(str(context.params[option]))}"
    return f"{report.stored:,} of {plan.count:,} are stored. To complete them: {command}"
