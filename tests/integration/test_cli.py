"""The command line as a person uses it: real processes, a real terminal, a real mongod."""

import http.client
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from pymongo import MongoClient

from database.client import open_sync_client
from database.embedded import EmbeddedServer
from database.environment import Credentials, DatabaseEnvironment
from database.index import COLLECTION
from tests.crashed import HELD, run_crashed_mongod
from tests.waiting import DEADLINE_SECONDS, find_free_port, wait_until

GATEWAY = Path(sys.executable).with_name("gateway")
PASSWORD = "transactions-development"  # noqa: S105 - the embedded server's, on loopback, as in db_envs.yaml


def refuses(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) != 0


def is_alive(process: psutil.Process) -> bool:
    """Whether a process still runs; it may end between two looks at it."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def is_server(process: psutil.Process) -> bool:
    """Whether a process is a mongod that serves, and not one that is only asked for its version and ends."""
    try:
        program, *options = process.cmdline() or [""]
    except psutil.NoSuchProcess:
        return False
    return Path(program).name == "mongod" and "--dbpath" in options


class Terminal:
    """A gateway that runs on a terminal of its own, as in a window of its user."""

    def __init__(self, folder: Path, *arguments: str, **variables: str) -> None:
        self._master, slave = pty.openpty()
        # A session leader that opens a terminal takes it over: Ctrl-C typed there then reaches its process group.
        command = ["/bin/sh", "-c", 'exec "$@" <"$0" >"$0" 2>&1', os.ttyname(slave), str(GATEWAY), *arguments]
        environ = {**os.environ, "COLUMNS": "200", **variables}
        self.process = subprocess.Popen(command, cwd=folder, start_new_session=True, env=environ)
        self.output = ""
        self._slave = slave
        self._descendants: dict[int, psutil.Process] = {}
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        # Closed by whoever reads it: another terminal would have its number next, and be read in its place.
        with os.fdopen(self._master, "rb", buffering=0) as master, suppress(OSError):
            while chunk := master.read(4096):
                self.output += chunk.decode(errors="replace").replace("\r\n", "\n")

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def wait_for(self, text: str) -> None:
        wait_until(lambda: text in self.output or self.process.poll() is not None, f"{text!r} in {self.output!r}")
        # What it wrote before it ended may still be on its way.
        wait_until(lambda: text in self.output, f"{text!r} in {self.output!r}")

    def find_descendants(self) -> list[psutil.Process]:
        self._descendants |= {child.pid: child for child in psutil.Process(self.process.pid).children(recursive=True)}
        return list(self._descendants.values())

    def runs_mongod(self) -> bool:
        return any(map(is_server, self.find_descendants()))

    def wait_for_end(self) -> int:
        wait_until(lambda: self.process.poll() is not None, f"the end of {self.process.args!r}: {self.output!r}")
        return self.process.wait()

    def find_survivors(self) -> list[psutil.Process]:
        """Those of the descendants that were seen and still run."""
        return [child for child in self._descendants.values() if is_alive(child)]

    def close(self) -> None:
        for child in self.find_survivors():
            with suppress(psutil.NoSuchProcess):
                child.kill()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._slave)


def get(url: str) -> tuple[int, Any]:
    """Status and body of a GET; JSON is decoded."""
    try:
        with urllib.request.urlopen(url, timeout=DEADLINE_SECONDS) as answer:  # noqa: S310 - http on loopback
            status, body = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            status, body = error.code, error.read()
    try:
        return status, json.loads(body)
    except ValueError:
        return status, body


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [GATEWAY, *arguments], cwd=folder, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder: the settings of db_envs.yaml with a port of its own. The first `up` fills its data."""
    folder = tmp_path_factory.mktemp("home")
    settings = {
        "mongo_username": "transactions",
        "mongo_password": PASSWORD,
        "mongo_host": "127.0.0.1",
        "mongo_port": find_free_port(),
        "mongo_database": "transactions",
    }
    (folder / "db_envs.yaml").write_text("".join(f"{key}: {value}\n" for key, value in settings.items()))
    return folder


@pytest.fixture
def open_terminal(folder: Path) -> Iterator[Callable[..., Terminal]]:
    terminals: list[Terminal] = []

    def open_one(*arguments: str, **variables: str) -> Terminal:
        terminals.append(Terminal(folder, *arguments, **variables))
        return terminals[-1]

    yield open_one
    for terminal in terminals:
        terminal.close()


@pytest.fixture
def up(open_terminal: Callable[..., Terminal]) -> Callable[..., Terminal]:
    """Starts `gateway up` on a free port and waits until it says that it answers."""

    def start(**variables: str) -> Terminal:
        terminal = open_terminal("up", "--port", "0", "--workers", "2", **variables)
        terminal.wait_for("Ctrl-C stops everything")
        assert terminal.runs_mongod()
        return terminal

    return start


def find_urls(output: str) -> dict[str, str]:
    """Give the addresses that `gateway up` has printed, by what ends them."""
    return {url.split("/", 3)[3]: url for url in re.findall(r"http://\S+", output)}


COUNT, LIST = "transactions/90/card/Visa", "transactions/90"


def test_up_prints_addresses_that_answer(up: Callable[..., Terminal]) -> None:
    """Each address that `gateway up` prints answers, and the lists hold what was seeded."""
    urls = find_urls(up().output)
    others = ["transactions/90/country/US", "transactions/90/amount/100.00/999.00"]
    assert list(urls) == ["", "graphql", LIST, COUNT, *others, "docs"]
    urls["graphql"] += "?query=%7B__typename%7D"
    answers = {name: get(url) for name, url in urls.items()}
    assert {name: status for name, (status, _) in answers.items() if status != 200} == {}
    assert all(answer for name, (_, answer) in answers.items() if name.startswith("transactions"))


def test_ctrl_c_stops_everything(up: Callable[..., Terminal]) -> None:
    """Ctrl-C on the terminal ends `gateway up` with 0, its workers and its mongod, and prints no trace."""
    terminal = up()
    terminal.type("\x03")
    assert terminal.wait_for_end() == 0
    wait_until(lambda: not terminal.find_survivors(), "the end of the workers and mongod")
    assert "Traceback" not in terminal.output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_stop_everything(up: Callable[..., Terminal], number: signal.Signals) -> None:
    """SIGTERM and SIGHUP to the parent alone end `gateway up` as Ctrl-C does."""
    terminal = up()
    terminal.process.send_signal(number)
    assert terminal.wait_for_end() == 0
    wait_until(lambda: not terminal.find_survivors(), "the end of the workers and mongod")
    assert "Traceback" not in terminal.output


def test_requests_in_flight_are_answered(up: Callable[..., Terminal]) -> None:
    """A long answer that has begun is completed after SIGTERM, while the port refuses new connections."""
    terminal = up()
    url = find_urls(terminal.output)[""]
    host = url.split("/")[2]
    reader = http.client.HTTPConnection(host, timeout=DEADLINE_SECONDS)
    reader.request("GET", "/transactions/365")
    answer = reader.getresponse()
    terminal.process.send_signal(signal.SIGTERM)
    assert len(json.loads(answer.read())) > 1000
    reader.close()
    assert terminal.wait_for_end() == 0


def test_a_second_ctrl_c_does_not_wait(up: Callable[..., Terminal]) -> None:
    """With a request that never ends, a second Ctrl-C ends the workers at once, and mongod is stopped all the same."""
    terminal = up()
    host = find_urls(terminal.output)[""].split("/")[2]
    # A request whose body never comes is in flight for as long as its client likes.
    stuck = http.client.HTTPConnection(host, timeout=DEADLINE_SECONDS)
    stuck.putrequest("POST", "/graphql")
    stuck.putheader("Content-Type", "application/json")
    stuck.putheader("Content-Length", "1000")
    stuck.endheaders()
    terminal.type("\x03")
    port = int(host.rsplit(":")[-1])
    wait_until(lambda: refuses(port), "the port to refuse")
    terminal.type("\x03")
    assert terminal.wait_for_end() == 0
    wait_until(lambda: not terminal.find_survivors(), "the end of the workers and mongod")
    stuck.close()


def test_a_killed_parent_leaves_nothing(up: Callable[..., Terminal]) -> None:
    """Kill -9 of the parent ends workers and mongod, and the next `gateway up` serves the same data."""
    terminal = up()
    terminal.process.kill()
    terminal.wait_for_end()
    wait_until(lambda: not terminal.find_survivors(), "the end of the workers and mongod")
    again = up()
    status, rows = get(find_urls(again.output)[LIST])
    assert (status, bool(rows)) == (200, True)


def test_a_dead_worker_is_replaced(up: Callable[..., Terminal]) -> None:
    """After kill -9 of one worker the gateway says so and another takes its place."""
    terminal = up()
    workers = [child for child in terminal.find_descendants() if "spawn_main" in " ".join(child.cmdline())]
    assert len(workers) == 2
    workers[0].kill()
    terminal.wait_for("starting another")
    wait_until(
        lambda: sum("spawn_main" in " ".join(c.cmdline()) for c in terminal.find_descendants() if c.is_running()) == 2,
        "the new worker",
    )
    assert get(find_urls(terminal.output)[COUNT])[0] == 200


def test_a_dead_mongod_is_replaced(up: Callable[..., Terminal]) -> None:
    """After kill -9 of the embedded mongod `gateway up` says so, and answers from another with the same data."""
    terminal = up()
    url = find_urls(terminal.output)[COUNT]
    before = get(url)
    next(child for child in terminal.find_descendants() if child.name() == "mongod").kill()
    terminal.wait_for("the embedded MongoDB runs again")
    wait_until(lambda: get(url) == before, "the same answer")


def test_no_secret_is_visible_outside(up: Callable[..., Terminal]) -> None:
    """A password that came by a variable is in no command line and no environment of the processes that `up` starts."""
    children = up(MONGO_PASSWORD=PASSWORD).find_descendants()
    assert {"mongod", "python"} <= {child.name().rstrip("0123456789.") for child in children}
    for child in children:
        assert PASSWORD not in " ".join([*child.cmdline(), *child.environ().values()])


def test_a_second_up_is_told_who_is_there(up: Callable[..., Terminal], open_terminal: Callable[..., Terminal]) -> None:
    """A second `gateway up` on the same port ends at once, names the port and the gateway that holds it."""
    first = up()
    port = find_urls(first.output)[""].split("/")[2].rsplit(":")[-1]
    second = open_terminal("up", "--port", port)
    assert second.wait_for_end() == 1
    assert f"port {port} is taken: another gateway" in second.output
    assert "Traceback" not in second.output
    assert get(find_urls(first.output)[COUNT])[0] == 200


def test_a_taken_port_is_named(open_terminal: Callable[..., Terminal]) -> None:
    """A port that another program holds is named, with a way to choose another."""
    with socket.create_server(("127.0.0.1", 0)) as program:
        port = program.getsockname()[1]
        terminal = open_terminal("up", "--port", str(port))
        assert terminal.wait_for_end() == 1
    assert f"port {port} is taken" in terminal.output
    assert "--port" in terminal.output


def test_serve_outlives_its_database(open_terminal: Callable[..., Terminal], up: Callable[..., Terminal]) -> None:
    """`gateway serve` answers 503 while the database is away and 200 when it appears."""
    serving = open_terminal("serve", "--port", "0", "--workers", "1")
    serving.wait_for("Ctrl-C stops")
    url = find_urls(serving.output)[LIST]
    assert get(url)[0] == 503
    up()
    wait_until(lambda: get(url)[0] == 200, "an answer from the database")
    serving.type("\x03")
    assert serving.wait_for_end() == 0


def test_a_foreign_database_is_served_as_it_stands(
    folder: Path, tmp_path: Path, up: Callable[..., Terminal], open_terminal: Callable[..., Terminal]
) -> None:
    """`gateway up` with a user who may only read serves another's data, names a missing index and creates nothing."""
    up()
    settings = (folder / "db_envs.yaml").read_text()
    port = re.search(r"mongo_port: (\d+)", settings)
    reader = json.loads((folder / ".data/credentials.json").read_text())["reader"]
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
        assert run(folder, "provision").stdout.splitlines()[1] == "Indexes created: card_date"
        assert "card_date" in owner.transactions.transaction.index_information()


def test_a_crashed_database_is_not_filled(open_terminal: Callable[..., Terminal], tmp_path: Path) -> None:
    """`gateway up` adds nothing to transactions whose statistics say 0 after a crash of their server."""
    with run_crashed_mongod(tmp_path) as address:
        terminal = open_terminal("up", "--port", "0", "--workers", "1", MONGO_URI=f"mongodb://{address}/shop")
        terminal.wait_for("Ctrl-C stops everything")
        with MongoClient[dict[str, Any]](f"mongodb://{address}") as client:
            assert client.shop.transaction.count_documents({}) == HELD


@pytest.mark.parametrize(("answer", "count"), [("\n", 0), ("n\n", 0), ("y\n", 20_000)])
def test_an_empty_foreign_database_is_filled_if_a_person_says_so(
    open_terminal: Callable[..., Terminal], environment: DatabaseEnvironment, answer: str, count: int
) -> None:
    """On a terminal `gateway up` names the empty database of another's server and fills it only after a yes."""
    terminal = open_terminal("up", "--port", "0", "--workers", "1", MONGO_URI=environment.connection_uri)
    terminal.wait_for("[y/N]")
    assert f"no transactions in database {environment.database} at {environment.address}." in terminal.output
    terminal.type(answer)
    terminal.wait_for("Ctrl-C stops everything")
    with open_sync_client(environment) as client:
        assert client[environment.database][COLLECTION].count_documents({}) == count


def test_an_empty_foreign_database_is_filled_for_a_script(environment: DatabaseEnvironment, tmp_path: Path) -> None:
    """Without a terminal `gateway up` names the empty database, fills it, says so and serves."""
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
    """A user who may only read cannot fill: `gateway up` says why and serves the empty database."""
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
    """A user without rights, and an option the server does not know, end the command with 1 and one message."""
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


def test_status_tells_what_is_there(folder: Path, up: Callable[..., Terminal]) -> None:
    """`gateway status --json` counts the documents of a running database and names its indexes."""
    up()
    answer = run(folder, "status", "--json")
    assert answer.returncode == 0, answer.stderr
    status = json.loads(answer.stdout)
    assert status["documents"] >= 20_000
    assert "date_amount" in status["indexes"]
    assert status["data_folder"] == str(folder / ".data")
    assert PASSWORD not in answer.stdout


def test_status_of_an_absent_database(folder: Path) -> None:
    """`gateway status` ends with 1 and one message when no database answers."""
    answer = run(folder, "status")
    assert answer.returncode == 1
    assert answer.stderr.startswith("gateway: ")
    assert "Traceback" not in answer.stderr


def test_ctrl_c_before_serving(open_terminal: Callable[..., Terminal]) -> None:
    """Ctrl-C while the database is still starting ends with 130 and leaves no process."""
    terminal = open_terminal("up", "--port", "0")
    wait_until(terminal.runs_mongod, "mongod")
    terminal.type("\x03")
    assert terminal.wait_for_end() == 130
    wait_until(lambda: not terminal.find_survivors(), "the end of mongod")
    assert "Traceback" not in terminal.output


def test_a_bare_call_on_a_terminal_is_a_menu(open_terminal: Callable[..., Terminal]) -> None:
    """`gateway` alone on a terminal offers the commands by number and runs the one that is chosen."""
    terminal = open_terminal()
    terminal.wait_for("Number or name")
    number = re.search(r"(\d)  schema", terminal.output)
    assert number is not None
    terminal.type(f"{number[1]}\n")
    assert terminal.wait_for_end() == 0
    assert "type Query" in terminal.output


def test_a_bare_call_elsewhere_is_wrong_usage(folder: Path) -> None:
    """`gateway` alone without a terminal prints its help and ends with 2."""
    answer = run(folder)
    assert answer.returncode == 2
    assert "provision" in answer.stdout + answer.stderr
