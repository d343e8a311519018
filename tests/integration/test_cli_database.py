"""The command line with each kind of database: absent, foreign, empty, crashed or refusing."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from database.client import open_sync_client
from database.embedded import EmbeddedServer
from database.environment import Credentials, DatabaseEnvironment
from database.index import COLLECTION
from tests.crashed import HELD, run_crashed_mongod
from tests.terminal import COUNT, GATEWAY, LIST, PASSWORD, Terminal, find_urls, get, run
from tests.waiting import wait_until


def test_serve_outlives_its_database(open_terminal: Callable[..., Terminal], up: Callable[..., Terminal]) -> None:
    """`gateway serve` responds with 503 while the database is unreachable and with 200 once it appears."""
    serving = open_terminal("serve", "--port", "0", "--workers", "1")
    serving.wait_for("Ctrl-C stops")
    url = find_urls(serving.output)[LIST]
    assert get(url)[0] == 503
    up()
    wait_until(lambda: get(url)[0] == 200, "an answer from the database")
    serving.type("\x03")
    assert serving.wait_for_end() == 0


def test_a_foreign_database_is_served_as_it_stands(
    home: Path, tmp_path: Path, up: Callable[..., Terminal], open_terminal: Callable[..., Terminal]
) -> None:
    """`gateway up` with a read-only user serves a foreign database, names a missing index and creates nothing."""
    up()
    settings = (home / "db_envs.yaml").read_text()
    port = re.search(r"mongo_port: (\d+)", settings)
    reader = json.loads((home / ".data/credentials.json").read_text())["reader"]
    assert port is not None
    uri = "mongodb://{}:{}@127.0.0.1:{}/transactions"
    with MongoClient[dict[str, Any]](uri.format("transactions", PASSWORD, port[1])) as owner:
        owner.transactions.transaction.drop_index("card_date")
        (tmp_path / "db_envs.yaml").write_text(f"mongo_uri: {uri.format(*reader.values(), port[1])}\n")
        visitor = open_terminal("up", "--port", "0", "--workers", "1", "--config", str(tmp_path / "db_envs.yaml"))
        visitor.wait_for("Ctrl-C stops everything")
        assert "Missing indexes: card_date" in visitor.output
        assert "gateway provision" in visitor.output
        assert get(find_urls(visitor.output)[COUNT])[1]["count"] > 0
        assert "card_date" not in owner.transactions.transaction.index_information()
        assert run(home, "provision").stdout.splitlines()[1] == "Indexes created: card_date"
        assert "card_date" in owner.transactions.transaction.index_information()


def test_a_crashed_database_is_not_filled(open_terminal: Callable[..., Terminal], tmp_path: Path) -> None:
    """`gateway up` adds nothing to a collection whose metadata count is 0 after a crash of its server."""
    with run_crashed_mongod(tmp_path) as address:
        terminal = open_terminal("up", "--port", "0", "--workers", "1", MONGO_URI=f"mongodb://{address}/shop")
        terminal.wait_for("Ctrl-C stops everything")
        with MongoClient[dict[str, Any]](f"mongodb://{address}") as client:
            assert client.shop.transaction.count_documents({}) == HELD


@pytest.mark.parametrize(("answer", "count"), [("\n", 0), ("n\n", 0), ("y\n", 20_000)])
def test_an_empty_foreign_database_is_filled_if_a_person_says_so(
    open_terminal: Callable[..., Terminal], environment: DatabaseEnvironment, answer: str, count: int
) -> None:
    """On a terminal, `gateway up` names an empty foreign database and fills it only after a yes."""
    terminal = open_terminal("up", "--port", "0", "--workers", "1", MONGO_URI=environment.connection_uri)
    terminal.wait_for("[y/N]")
    assert f"no transactions in database {environment.database} at {environment.address}." in terminal.output
    terminal.type(answer)
    terminal.wait_for("Ctrl-C stops everything")
    with open_sync_client(environment) as client:
        assert client[environment.database][COLLECTION].count_documents({}) == count


def test_an_empty_foreign_database_is_filled_for_a_script(environment: DatabaseEnvironment, tmp_path: Path) -> None:
    """Without a terminal, `gateway up` names the empty database, fills it, reports that and serves it."""
    command = [str(GATEWAY), "up", "--port", "0", "--workers", "1"]
    environ = {**os.environ, "MONGO_URI": environment.connection_uri}
    log = tmp_path / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=tmp_path, env=environ, stdin=subprocess.DEVNULL, stdout=output) as process,
    ):
        wait_until(lambda: "Ctrl-C stops everything" in log.read_text() or process.poll() is not None)
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
    assert f"no transactions in database {environment.database} at {environment.address}." in log.read_text()
    assert "\nStored 20,000 transactions in " in log.read_text()
    with open_sync_client(environment) as client:
        assert client[environment.database][COLLECTION].count_documents({}) == 20_000


def test_an_empty_database_that_may_not_be_filled_is_served(
    open_terminal: Callable[..., Terminal], reader_environment: DatabaseEnvironment
) -> None:
    """With a read-only user, `gateway up` cannot fill the empty database; it says why and serves it empty."""
    terminal = open_terminal("up", "--port", "0", "--workers", "1", MONGO_URI=reader_environment.connection_uri)
    terminal.wait_for("[y/N]")
    terminal.type("y\n")
    terminal.wait_for("Ctrl-C stops everything")
    assert "does not permit this to its user. The database is served as it stands." in terminal.output


@pytest.mark.parametrize("command", [("up", "--port", "0"), ("serve", "--port", "0"), ("status",)])
def test_what_every_question_would_meet_is_said_at_once(
    mongod: EmbeddedServer,
    environment: DatabaseEnvironment,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
) -> None:
    """A user without rights, or an option unknown to the server, ends the command with exit code 1 and one message."""
    nobody = Credentials("nobody", "nobody's password")
    with open_sync_client(replace(mongod.admin, database=environment.database)) as client:
        client[environment.database].command("createUser", nobody.username, pwd=nobody.password, roles=[])
    for uri, message in (
        (environment.with_credentials(nobody).connection_uri, "does not permit this to its user."),
        (f"{environment.connection_uri}&readConcernLevel=bogus", "answered with an error (code "),
    ):
        monkeypatch.setenv("MONGO_URI", uri)
        answer = run(tmp_path, *command)
        assert answer.returncode == 1
        assert answer.stderr.startswith("gateway: The database ")
        assert message in answer.stderr
        assert answer.stderr.count("\n") == 1


def test_status_tells_what_is_there(home: Path, up: Callable[..., Terminal]) -> None:
    """`gateway status --json` reports the document count, the indexes and the data folder of a running database."""
    up()
    answer = run(home, "status", "--json")
    assert answer.returncode == 0, answer.stderr
    status = json.loads(answer.stdout)
    assert status["documents"] >= 20_000
    assert "date_amount" in status["indexes"]
    assert status["data_folder"] == str(home / ".data")
    assert PASSWORD not in answer.stdout


def test_status_of_an_absent_database(home: Path) -> None:
    """`gateway status` exits with 1 and one message when no database responds."""
    answer = run(home, "status")
    assert answer.returncode == 1
    assert answer.stderr.startswith("gateway: ")
    assert "Traceback" not in answer.stderr
