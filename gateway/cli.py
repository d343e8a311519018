"""The command line: every command and its help. It wires the packages; it must not do their work."""

# ruff: noqa: PLC0415 -- a command imports what it needs when it runs: `gateway --help` takes a fraction of the time.

import json
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from database.errors import ConfigurationError, DatabaseRefusedError, DatabaseTimeoutError, DatabaseUnavailableError
from gateway.configuration import get_accepted_environment, load_credentials, take_environment, take_settings
from gateway.console import (
    build_report_text,
    build_status,
    build_status_text,
    build_welcome,
    describe_data,
    describe_missing_indexes,
)
from gateway.key_commands import keys
from gateway.menu import prompt_for_command
from gateway.option import server_options
from gateway.server import open_listener, serve
from seeding.option import DATA_FOLDER, build_epilog, config_option
from seeding.seed_command import seed
from seeding.simulation_command import simulate_command

if TYPE_CHECKING:
    from database.embedded import ReachedServer
    from database.environment import DatabaseEnvironment

FIRST_COUNT = 20_000
# A fixed seed: after an interrupted first start, the next one adds the missing documents instead of duplicates.
FIRST_SEED = 1


class _InOrder(click.Group):
    """Lists its commands in the order in which they are added: the one that most users want comes first."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(self.commands)


@click.group(
    cls=_InOrder,
    invoke_without_command=True,
    epilog=build_epilog(
        "gateway up                a database, 20,000 transactions and the gateway, at once",
        "gateway status            what the configured database holds",
        "gateway COMMAND --help    more on a command",
    ),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="transactions-gateway", message="gateway %(version)s")
@click.pass_context
def commands(context: click.Context) -> None:
    """GraphQL and REST over a MongoDB collection of card transactions."""
    if context.invoked_subcommand is not None:
        return
    if not _is_on_terminal():
        # As git does: a script that forgot the command should notice.
        click.echo(context.get_help(), err=True)
        context.exit(2)
    if chosen := prompt_for_command(commands.commands):
        context.exit(commands.main(chosen, prog_name=context.info_name, standalone_mode=False))


@commands.command(
    epilog=build_epilog(
        "gateway up",
        "gateway up --port 8000 --workers 2",
        "MONGO_URI=mongodb+srv://user:password@cluster/transactions gateway up",
    )
)
@server_options
@config_option
def up(host: str, port: int, workers: int | None, config: Path) -> None:
    """Serve at once, starting a MongoDB if none answers.

    Uses the server of --config if it answers. If none answers at a local address, starts an embedded one, with its
    data in .data in the current folder. An empty database gets its indexes and 20,000 transactions (on a terminal you
    are asked first, unless the server is embedded); one that already holds transactions is served as it is.

    Ctrl-C, SIGTERM or SIGHUP finish the requests in flight and stop everything (exit code 0); a second one does
    not wait for the requests.
    """
    from database.embedded import reach_server

    environment = take_environment(config)
    settings = take_settings(host, port, workers)
    with ExitStack() as stack:
        # First, because the rest takes a while and would be wasted if the port is taken.
        listener = stack.enter_context(open_listener(settings.host, settings.port))
        server = stack.enter_context(reach_server(environment, DATA_FOLDER, notify=click.echo))
        _prepare(server)
        data = describe_data(server.reader, server.embedded.folder if server.embedded else None)
        bound_port = listener.getsockname()[1]
        welcome = build_welcome(settings.host, bound_port, data, "Ctrl-C stops everything.")
        serve(settings, server.reader, listener, on_ready=lambda: click.echo(welcome))


def _prepare(server: "ReachedServer") -> None:
    """Fill an empty database; in an embedded one, also create its indexes and finish an interrupted first fill."""
    from database.provision import holds_transactions, provision, read_status

    # Checked as the reader: transactions that it may not read could not be served either.
    empty = not holds_transactions(server.reader)
    if server.embedded is None:
        if empty:
            _offer_to_fill(server.owner)
        elif missing := read_status(server.owner).missing_indexes:
            click.echo(f"Missing indexes: {describe_missing_indexes(missing)}.")
        return
    provision(server.owner)
    # This file exists while the first fill is unfinished; only an embedded server has a folder for it.
    unfinished = server.embedded.folder / "filling"
    if empty or unfinished.exists():
        unfinished.touch()
        _fill(server.owner)
        unfinished.unlink()


def _offer_to_fill(owner: "DatabaseEnvironment") -> None:
    """Fill an empty database on an external server, on a terminal only if the user confirms."""
    from database.provision import provision

    click.echo(f"There are no transactions in {describe_data(owner)}.")
    work = f"its indexes and {FIRST_COUNT:,} made-up transactions"
    if not _is_on_terminal():
        click.echo(f"Adding {work}.")
    elif not click.confirm(f"Add {work}?"):
        return
    try:
        provision(owner)
        _fill(owner)
    except DatabaseRefusedError as error:
        click.echo(f"{error} The database is served as it stands.", err=True)


def _is_on_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _fill(owner: "DatabaseEnvironment") -> None:
    from rich.console import Console

    from seeding.progress import describe_end, open_progress
    from seeding.seeder import seed as seed_database

    with open_progress(Console()) as progress:
        try:
            report = seed_database(owner, FIRST_COUNT, seed=FIRST_SEED, progress=progress)
        except KeyboardInterrupt:
            click.echo(f"Stopped early: `gateway seed {FIRST_COUNT} --seed {FIRST_SEED}` adds the rest.", err=True)
            raise
    click.echo(describe_end(report))


@commands.command(
    "serve", epilog=build_epilog("gateway serve", "gateway serve --host 0.0.0.0 --config /etc/gateway/db_envs.yaml")
)
@server_options
@config_option
def serve_configured(host: str, port: int, workers: int | None, config: Path) -> None:
    """Serve the configured database, and nothing else.

    Starts no database and changes none. It starts even if the database is unreachable, and responds with 503 until it
    returns; if the database refuses to be read, it exits.

    Ctrl-C, SIGTERM or SIGHUP finish the requests in flight, then stop (exit code 0); a second one does not wait.
    """
    from database.client import ConnectionOutcome, check_server
    from database.provision import holds_transactions

    environment = take_environment(config)
    settings = take_settings(host, port, workers)
    with open_listener(settings.host, settings.port) as listener:
        state = check_server(environment)
        if state.outcome in {ConnectionOutcome.REFUSED, ConnectionOutcome.TOO_OLD}:
            raise state.build_error()
        try:
            if state.outcome is not ConnectionOutcome.ACCEPTED:
                raise state.build_error()
            # If this is refused, every query would be.
            holds_transactions(state.environment)
        except (DatabaseUnavailableError, DatabaseTimeoutError) as error:
            click.echo(f"{error} Requests are answered with 503 until the database is there.", err=True)
        bound_port = listener.getsockname()[1]
        welcome = build_welcome(
            settings.host, bound_port, describe_data(state.environment), "Ctrl-C stops the gateway."
        )
        serve(settings, state.environment, listener, on_ready=lambda: click.echo(welcome))


_password_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@commands.command(
    epilog=build_epilog(
        "gateway provision",
        "gateway provision --owner seeder --owner-password-file owner.txt \\",
        "    --reader gateway --reader-password-file reader.txt",
    )
)
@click.option("--owner", help="A user to create or update, who seeds and creates indexes.")
@click.option("--owner-password-file", type=_password_file, help="The file that holds the owner's password.")
@click.option("--reader", help="A user to create or update, as whom the gateway serves.")
@click.option("--reader-password-file", type=_password_file, help="The file that holds the reader's password.")
@config_option
def provision(
    owner: str | None,
    owner_password_file: Path | None,
    reader: str | None,
    reader_password_file: Path | None,
    config: Path,
) -> None:
    """Create the collection, its indexes and its users.

    Works on the configured database and can be repeated: what is there already stays, and no data is touched.
    To create users, --config must name an administrator; otherwise the right to create collections and indexes will do.
    """
    from database.provision import provision as provision_database

    owner_credentials = load_credentials("owner", owner, owner_password_file)
    reader_credentials = load_credentials("reader", reader, reader_password_file)
    if owner is not None and owner == reader:
        raise click.UsageError("--owner and --reader name one user, which would only read: give each its own name.")
    report = provision_database(get_accepted_environment(config), owner=owner_credentials, reader=reader_credentials)
    click.echo(build_report_text(report))
    if report.conflicts:
        raise ConfigurationError("\n".join(report.conflicts))


for command in (seed, simulate_command, keys):
    commands.add_command(command)


@commands.command(epilog=build_epilog("gateway status", "gateway status --json | jq .documents"))
@click.option("--json", "as_json", is_flag=True, help="For programs: one JSON object, sizes in bytes.")
@config_option
def status(*, as_json: bool, config: Path) -> None:
    """Show what the configured database holds.

    Its server, version, user, documents, indexes and data folder; exit code 1 if it does not answer, or would refuse
    the gateway's queries.
    """
    from database.provision import holds_transactions, read_status

    environment = get_accepted_environment(config)
    fields = build_status(environment, read_status(environment), _find_data_folder(environment))
    click.echo(json.dumps(fields, indent=2) if as_json else build_status_text(fields))
    holds_transactions(environment)


def _find_data_folder(environment: "DatabaseEnvironment") -> Path | None:
    """Return the current folder's data folder, if the server is the one that a gateway runs on it."""
    from database.folder import FolderInUseError, await_holder

    with suppress(FolderInUseError):  # a server that is still starting is not the one that responded
        holder = await_holder(DATA_FOLDER, time.monotonic())
        if holder and environment.is_local and holder.port == environment.port:
            return DATA_FOLDER
    return None


@commands.command(epilog=build_epilog("gateway schema --check", "gateway schema --write --allow-breaking"))
@click.option("--check", "action", flag_value="check", help="Fail if a file is not current, and say what differs.")
@click.option("--write", "action", flag_value="write", help="Write the files, unless that breaks clients.")
@click.option("--print", "action", flag_value="print", default=True, help="Print the GraphQL schema.  [default]")
@click.option("--allow-breaking", is_flag=True, help="With --write: write a schema that breaks clients.")
def schema(action: str, *, allow_breaking: bool) -> None:
    """Check or write the schema, OpenAPI document and error pages.

    They are schema/schema.graphql, docs/openapi.json and docs/errors.
    """
    from gateway.contract import SDL, ContractError, build_contract, find_breaks, find_differences, write_contract

    if action == "print":
        click.echo(build_contract()[SDL], nl=False)
        return
    breaks = find_breaks()
    for change in breaks:
        click.echo(f"breaks clients: {change}", err=True)
    if action == "check":
        if differences := find_differences():
            click.echo("\n".join(differences), err=True)
            repair = "gateway schema --write" + (" --allow-breaking" if breaks else "")
            raise ContractError(
                f"the checked-in files are not what the code serves: `{repair}` writes them, then commit"
            )
        click.echo("schema/schema.graphql, docs/openapi.json and docs/errors are current")
        return
    if breaks and not allow_breaking:
        raise ContractError("nothing was written: keep what clients use (deprecate it), or add --allow-breaking")
    for path in write_contract():
        click.echo(f"{'wrote' if path.exists() else 'removed'} {path}")
