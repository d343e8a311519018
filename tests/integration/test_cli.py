"""The command line as a user runs it: real processes, a real terminal, a real mongod."""

import http.client
import json
import re
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.caller import Scope
from gateway.keys import create_key
from tests.terminal import COUNT, LIST, PASSWORD, Terminal, find_urls, get, refuses, run
from tests.waiting import DEADLINE_SECONDS, wait_until


def test_up_prints_addresses_that_answer(up: Callable[..., Terminal]) -> None:
    """Each URL that `gateway up` prints responds with 200, and the transactions paths are not empty."""
    urls = find_urls(up().output)
    others = ["transactions/90/country/US", "transactions/90/amount/100.00/999.00"]
    assert list(urls) == ["", "graphql", LIST, COUNT, *others, "docs"]
    urls["graphql"] += "?query=%7B__typename%7D"
    answers = {name: get(url) for name, url in urls.items()}
    assert {name: status for name, (status, _) in answers.items() if status != 200} == {}
    assert all(answer for name, (_, answer) in answers.items() if name.startswith("transactions"))


def test_ctrl_c_stops_everything(up: Callable[..., Terminal]) -> None:
    """Ctrl-C on the terminal ends `gateway up` with 0, along with its workers and mongod, and prints no traceback."""
    terminal = up()
    terminal.type("\x03")
    assert terminal.wait_for_end() == 0
    wait_until(lambda: not terminal.find_survivors(), "the end of the workers and mongod")
    assert "Traceback" not in terminal.output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_stop_everything(up: Callable[..., Terminal], number: signal.Signals) -> None:
    """SIGTERM or SIGHUP to the parent alone ends `gateway up` as Ctrl-C does."""
    terminal = up()
    terminal.process.send_signal(number)
    assert terminal.wait_for_end() == 0
    wait_until(lambda: not terminal.find_survivors(), "the end of the workers and mongod")
    assert "Traceback" not in terminal.output


def test_requests_in_flight_are_answered(up: Callable[..., Terminal]) -> None:
    """A long response that has begun is completed after SIGTERM."""
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
    """With a request that never ends, a second Ctrl-C ends the workers at once, and mongod is still stopped."""
    terminal = up()
    host = find_urls(terminal.output)[""].split("/")[2]
    # A request whose body never arrives stays in flight for as long as its client wishes.
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
    """After kill -9 of the parent, workers and mongod end, and the next `gateway up` serves the same data."""
    terminal = up()
    terminal.process.kill()
    terminal.wait_for_end()
    wait_until(lambda: not terminal.find_survivors(), "the end of the workers and mongod")
    again = up()
    status, rows = get(find_urls(again.output)[LIST])
    assert (status, bool(rows)) == (200, True)


def test_a_dead_worker_is_replaced(up: Callable[..., Terminal]) -> None:
    """After kill -9 of a worker the gateway reports it and starts another."""
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
    """After kill -9 of the embedded mongod, `gateway up` reports it and serves the same data from a new one."""
    terminal = up()
    url = find_urls(terminal.output)[COUNT]
    before = get(url)
    next(child for child in terminal.find_descendants() if child.name() == "mongod").kill()
    terminal.wait_for("the embedded MongoDB runs again")
    wait_until(lambda: get(url) == before, "the same answer")


def test_no_secret_is_visible_outside(up: Callable[..., Terminal]) -> None:
    """A password from a variable is in no command line and no environment of the processes that `up` starts."""
    children = up(MONGO_PASSWORD=PASSWORD).find_descendants()
    assert {"mongod", "python"} <= {child.name().rstrip("0123456789.") for child in children}
    for child in children:
        assert PASSWORD not in " ".join([*child.cmdline(), *child.environ().values()])


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104  # it never listens
def test_a_second_up_is_told_who_is_there(
    up: Callable[..., Terminal], open_terminal: Callable[..., Terminal], tmp_path: Path, host: str
) -> None:
    """A second `gateway up` on the same port exits with 1, naming the port and the gateway that holds it."""
    first = up()
    port = find_urls(first.output)[""].split("/")[2].rsplit(":")[-1]
    keys = tmp_path / "keys.json"
    create_key(keys, "reader", frozenset({Scope.TRANSACTIONS_READ}))
    second = open_terminal("up", "--host", host, "--port", port, GATEWAY_KEYS_FILE=str(keys))
    assert second.wait_for_end() == 1
    assert f"port {port} is taken: another gateway" in second.output
    assert "Traceback" not in second.output
    assert get(find_urls(first.output)[COUNT])[0] == 200


def test_a_taken_port_is_named(open_terminal: Callable[..., Terminal]) -> None:
    """A port held by another program is named in the error, with the option that changes it."""
    with socket.create_server(("127.0.0.1", 0)) as program:
        port = program.getsockname()[1]
        terminal = open_terminal("up", "--port", str(port))
        assert terminal.wait_for_end() == 1
    assert f"port {port} is taken" in terminal.output
    assert "--port" in terminal.output


def test_ctrl_c_before_serving(open_terminal: Callable[..., Terminal]) -> None:
    """Ctrl-C while the database is starting exits with 130 and leaves no process."""
    terminal = open_terminal("up", "--port", "0")
    wait_until(terminal.runs_mongod, "mongod")
    terminal.type("\x03")
    assert terminal.wait_for_end() == 130
    wait_until(lambda: not terminal.find_survivors(), "the end of mongod")
    assert "Traceback" not in terminal.output


def test_a_bare_call_on_a_terminal_is_a_menu(open_terminal: Callable[..., Terminal]) -> None:
    """`gateway` without arguments on a terminal offers a numbered menu of commands and runs the chosen one."""
    terminal = open_terminal()
    terminal.wait_for("Number or name")
    number = re.search(r"(\d)  schema", terminal.output)
    assert number is not None
    terminal.type(f"{number[1]}\n")
    assert terminal.wait_for_end() == 0
    assert "type Query" in terminal.output


def test_a_bare_call_elsewhere_is_wrong_usage(home: Path) -> None:
    """`gateway` without arguments and without a terminal prints its help and exits with 2."""
    answer = run(home)
    assert answer.returncode == 2
    assert "provision" in answer.stdout + answer.stderr
