"""The command line without a database: help, exit codes, the port, the checked-in contract and console texts."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from database.environment import DatabaseEnvironment
from database.errors import ConfigurationError
from database.provision import DatabaseStatus
from gateway.cli import commands
from gateway.console import build_status, build_status_text, build_welcome
from gateway.server import open_listener

GATEWAY = Path(sys.executable).with_name("gateway")
COMMANDS = ("up", "serve", "provision", "seed", "simulate", "keys", "status", "schema")


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([GATEWAY, *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_help_names_every_command_in_order() -> None:
    """The help lists all commands, the most used first, each with a whole sentence."""
    answer = CliRunner().invoke(commands, ["--help"], terminal_width=80)
    lines = answer.output.split("Commands:\n")[1].split("\n\n")[0].splitlines()
    assert tuple(line.split()[0] for line in lines) == COMMANDS
    assert [line for line in lines if line.endswith("...") or not line.endswith(".")] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_each_help_explains(name: str) -> None:
    """Each command's help has an example of that command, on a line of its own."""
    answer = CliRunner().invoke(commands, [name, "--help"], terminal_width=80)
    assert answer.exit_code == 0
    assert any(line.strip().startswith(f"gateway {name}") for line in answer.output.splitlines())


def test_every_option_has_a_help() -> None:
    """Every option of every command has help text."""
    assert [
        (name, option.name)
        for name, command in commands.commands.items()
        for option in command.params
        if isinstance(option, click.Option) and not option.help
    ] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("dance",),
        ("up", "--port", "65536"),
        ("up", "--port", "http"),
        ("serve", "--workers", "0"),
        ("provision", "--owner", "somebody"),
        ("provision", "--reader", "", "--reader-password-file", __file__),
        ("seed",),
        (),
    ],
)
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """Invalid usage exits with 2 and prints the usage, on stderr only."""
    answer = run(*arguments, folder=tmp_path)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "Usage: gateway" in answer.stderr


@pytest.mark.parametrize("command", ["up", "serve", "provision", "status"])
def test_missing_settings_are_one_message(command: str, tmp_path: Path) -> None:
    """Without any settings each command exits with 1 and a message that names the keys, without a traceback."""
    answer = run(command, folder=tmp_path)
    assert answer.returncode == 1
    assert answer.stderr.startswith("gateway: ")
    assert "mongo_host" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_an_unusable_password_file_is_named(tmp_path: Path) -> None:
    """A password that MongoDB users cannot have is refused by file name, without its text."""
    (tmp_path / "password").write_text("secret\x07bell", "utf-8")
    answer = run("provision", "--owner", "o", "--owner-password-file", "password", folder=tmp_path)
    assert answer.returncode == 1
    assert answer.stderr.startswith("gateway: password must be visible text")
    assert "secret" not in answer.stderr


def test_owner_and_reader_are_two_users(tmp_path: Path) -> None:
    """One name for both users is invalid usage, as the second role would replace the first."""
    password = tmp_path / "password"
    password.write_text("s3cret")
    users = (f"--{role}{end}" for role in ("owner", "reader") for end in ("=ann", f"-password-file={password}"))
    answer = run("provision", *users, folder=tmp_path)
    assert answer.returncode == 2
    assert "--owner and --reader name one user" in answer.stderr


def test_an_unexpected_failure_is_one_line(tmp_path: Path) -> None:
    """An unforeseen exception exits with 1 and one line: its type and location, without its message."""
    script = "import gateway.cli, gateway.__main__ as shell; gateway.cli.commands.main = lambda **_: int('secret')"
    answer = subprocess.run(
        [sys.executable, "-c", f"{script}; shell.main()"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith("gateway: it failed: ValueError at <string>:1")
    assert "secret" not in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_a_taken_port_is_found_before_anything_else() -> None:
    """A port held by another program is refused by number, with the option that changes it."""
    with socket.create_server(("127.0.0.1", 0)) as program:
        port = program.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"port {port} is taken.*--port {port + 1}"):
            open_listener("127.0.0.1", port)


def test_a_listener_refuses_until_it_serves() -> None:
    """A bound listener refuses connections until workers serve it."""
    with open_listener("127.0.0.1", 0) as listener, socket.socket() as caller:
        assert caller.connect_ex(listener.getsockname()) != 0


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1", "not a host"])
def test_a_foreign_host_is_named(host: str) -> None:
    """A host that is not this machine's is refused by name, with one that works."""
    with pytest.raises(ConfigurationError, match=r"use 127\.0\.0\.1"):
        open_listener(host, 0)


@pytest.mark.parametrize("port", [0, 1])
@pytest.mark.parametrize("host", ["a..b", "x" * 64])
def test_a_host_that_is_no_name_is_named(host: str, port: int) -> None:
    """A host name that cannot be looked up is refused as not a name."""
    with pytest.raises(ConfigurationError, match=r"cannot be served on \(not a name\); use 127\.0\.0\.1"):
        open_listener(host, port)


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("127.0.0.1", "http://127.0.0.1:5000/"),
        ("0.0.0.0", "http://localhost:5000/"),  # noqa: S104 - only named
        ("::1", "http://[::1]:5000/"),
    ],
)
def test_the_welcome_shows_addresses_to_open(host: str, base: str) -> None:
    """For any host, the welcome's URLs can be opened as printed."""
    urls = [word for word in build_welcome(host, 5000, "data", "ending").split() if word.startswith("http")]
    assert len(urls) == 7
    assert all(url.startswith(base) for url in urls)


def test_status_says_what_the_user_may_not_see() -> None:
    """A user with few rights still gets a status, with words for what it may not see."""
    unseen = dict.fromkeys(
        ("documents", "data_size", "storage_size", "index_size", "indexes", "missing_indexes", "data_folder")
    )
    told = {"server": "here", "database": "d", "version": "8.0", "topology": "single server", "user": "u", "roles": ()}
    text = build_status_text({**told, **unseen})
    assert text.count("the user may not") == 3
    assert "None" not in text


def test_status_of_a_database_without_the_collection_says_none() -> None:
    """Without the collection, the status shows no index, and an empty object to programs."""
    found = DatabaseStatus("8.0", "single server", "u", (), 0, 0, 0, 0, indexes=(), missing_indexes=("date_amount",))
    told = build_status(DatabaseEnvironment(uri="mongodb://h/shop"), found, None)
    assert told["indexes"] == {}
    assert re.search("^Indexes +none$", build_status_text(told), re.MULTILINE)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """An empty repository with a freshly written contract."""
    (tmp_path / "schema").mkdir()
    assert run("schema", "--write", folder=tmp_path).returncode == 0
    return tmp_path


def test_a_written_contract_is_current(repository: Path) -> None:
    """What `schema --write` writes passes `schema --check`, and writing again changes nothing."""
    assert run("schema", "--check", folder=repository).returncode == 0
    assert run("schema", "--write", folder=repository).stdout == ""


def test_a_stale_contract_fails_the_check(repository: Path) -> None:
    """A file that differs from what the code serves fails the check, which shows the line and names the remedy."""
    path = repository / "docs/openapi.json"
    path.write_text(path.read_text("utf-8").replace('"openapi"', '"opened"'), "utf-8")
    answer = run("schema", "--check", folder=repository)
    assert answer.returncode == 1
    assert '-  "opened"' in answer.stderr
    assert "gateway schema --write" in answer.stderr


def test_the_page_of_an_error_that_is_gone_goes_too(repository: Path) -> None:
    """The page of an unknown error code fails the check, and `schema --write` removes it."""
    path = repository / "docs/errors/GONE.md"
    path.write_text("# GONE\n")
    check = run("schema", "--check", folder=repository)
    assert check.returncode == 1
    assert "docs/errors/GONE.md" in check.stderr
    assert run("schema", "--write", folder=repository).stdout == "removed docs/errors/GONE.md\n"
    assert run("schema", "--check", folder=repository).returncode == 0


def test_a_breaking_change_must_be_wanted(repository: Path) -> None:
    """Removing a field fails the check by name, and is written only with --allow-breaking."""
    path = repository / "schema/schema.graphql"
    checked_in = path.read_text("utf-8").replace("type Query {", "type Query {\n  gone: String\n")
    path.write_text(checked_in, "utf-8")
    check = run("schema", "--check", folder=repository)
    assert check.returncode == 1
    assert "breaks clients: Field Query.gone was removed." in check.stderr
    assert run("schema", "--write", folder=repository).returncode == 1
    assert path.read_text("utf-8") == checked_in
    assert run("schema", "--write", "--allow-breaking", folder=repository).returncode == 0
    assert run("schema", "--check", folder=repository).returncode == 0


def test_a_broken_contract_is_one_message(repository: Path) -> None:
    """A schema file with merge conflict markers is named, without a traceback."""
    (repository / "schema/schema.graphql").write_text("<<<<<<< HEAD\n", "utf-8")
    answer = run("schema", "--check", folder=repository)
    assert answer.returncode == 1
    assert "schema/schema.graphql is not a GraphQL schema" in answer.stderr
    assert "Traceback" not in answer.stderr
