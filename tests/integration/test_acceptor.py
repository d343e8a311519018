"""Connections are spread evenly over the workers, and no worker keeps the others from accepting."""

import asyncio
import re
import resource
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from database.environment import DatabaseEnvironment
from gateway.acceptor import Acceptor
from gateway.scoreboard import Scoreboard
from tests.process import GatewayProcess, read_log, run_gateway
from tests.waiting import find_free_port, hang, wait_until

WORKERS = 2
CONNECTIONS = 40
ANSWER_SECONDS = 30
ENOUGH_FILES = 1_000
REQUEST = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
# SO_LINGER with timeout 0: closing sends RST.
RESET = struct.pack("ii", 1, 0)


@pytest.fixture
def gateway(reader_environment: DatabaseEnvironment, tmp_path: Path) -> Iterator[GatewayProcess]:
    with run_gateway(reader_environment, find_free_port(), tmp_path, WORKERS) as process:
        wait_until(lambda: len(find_workers(process)) == WORKERS, "both workers")
        wait_until(lambda: both_accept(process), "both to accept")
        await_end(process)
        yield process


def get_port(gateway: GatewayProcess) -> int:
    port = urlsplit(gateway.url).port
    assert port
    return port


def find_workers(gateway: GatewayProcess) -> list[psutil.Process]:
    """Return the worker processes that have connected to the database, and so accept connections or are about to."""
    port = get_port(gateway)
    return [
        process
        for process in psutil.Process(gateway.process.pid).children(recursive=True)
        if any(is_open(each) and each.laddr.port != port for each in process.net_connections("tcp"))
    ]


def count_connections(gateway: GatewayProcess, worker: psutil.Process) -> int:
    """Return the number of client connections that a worker holds."""
    port = get_port(gateway)
    return sum(1 for each in worker.net_connections("tcp") if is_open(each) and each.laddr.port == port)


def is_open(connection: Any) -> bool:
    """Whether the connection is established."""
    return bool(connection.status == psutil.CONN_ESTABLISHED)


@contextmanager
def connected(gateway: GatewayProcess, number: int) -> Iterator[list[socket.socket]]:
    """Open this many connections and yield them."""
    with ExitStack() as stack:
        address = ("127.0.0.1", get_port(gateway))
        yield [stack.enter_context(socket.create_connection(address, timeout=ANSWER_SECONDS)) for _ in range(number)]


def ask(connections: list[socket.socket]) -> list[bytes]:
    """Send a request on each connection and return the status lines of the responses."""
    for connection in connections:
        connection.sendall(REQUEST)
    return [connection.recv(10_000).partition(b"\r\n")[0] for connection in connections]


def both_accept(gateway: GatewayProcess) -> bool:
    """Report whether each worker accepts some of a few connections: a worker still starting accepts none."""
    with connected(gateway, 2 * WORKERS) as connections:
        ask(connections)
        return all(count_connections(gateway, worker) for worker in find_workers(gateway))


def await_end(gateway: GatewayProcess) -> None:
    """Wait until no worker has a client connection."""
    wait_until(lambda: not any(count_connections(gateway, each) for each in find_workers(gateway)), "their end")


def test_a_burst_is_spread_evenly(gateway: GatewayProcess) -> None:
    """Of forty connections opened at once, each of two workers takes about half, in most of five bursts."""
    leads = []
    for _ in range(5):
        with connected(gateway, CONNECTIONS) as connections:
            assert set(ask(connections)) == {b"HTTP/1.1 200 OK"}
            shares = [count_connections(gateway, worker) for worker in find_workers(gateway)]
            assert sum(shares) == CONNECTIONS
            leads.append(max(shares) - min(shares))
        await_end(gateway)
    # While the CPU is briefly busy elsewhere, one worker takes what the other cannot.
    assert median(leads) <= CONNECTIONS // 5


def test_who_has_more_lets_the_other_come_first(gateway: GatewayProcess) -> None:
    """After one worker has lost all its connections, it takes the next ones until both have about as many again."""
    with connected(gateway, CONNECTIONS) as connections:
        assert set(ask(connections)) == {b"HTTP/1.1 200 OK"}
        emptied, full = find_workers(gateway)
        own = {each.raddr.port for each in emptied.net_connections("tcp") if is_open(each)}
        lost = [connection for connection in connections if connection.getsockname()[1] in own]
        for connection in lost:
            connection.close()
        wait_until(lambda: count_connections(gateway, emptied) == 0, "their end")
        before = count_connections(gateway, full)
        # Workers publish their connection counts ten times a second.
        wait_until(lambda: takes_the_next(gateway, emptied), "the other to know")
        with connected(gateway, len(lost)) as more:
            assert set(ask(more)) == {b"HTTP/1.1 200 OK"}
            assert count_connections(gateway, full) - before <= CONNECTIONS // 5


def takes_the_next(gateway: GatewayProcess, worker: psutil.Process) -> bool:
    with connected(gateway, 1) as [connection]:
        ask([connection])
        return count_connections(gateway, worker) == 1


def test_a_stopped_worker_keeps_nobody_from_accepting(gateway: GatewayProcess) -> None:
    """While the worker with fewer connections hangs, all new connections are served by the other."""
    stopped = find_workers(gateway)[0]
    hang(stopped.pid)
    try:
        with connected(gateway, CONNECTIONS) as connections:
            assert set(ask(connections)) == {b"HTTP/1.1 200 OK"}
            assert count_connections(gateway, stopped) == 0
    finally:
        stopped.resume()


def test_too_many_open_files_pass(gateway: GatewayProcess, tmp_path: Path) -> None:
    """Workers out of file descriptors wait without using CPU, and accept waiting clients once descriptors are free."""
    workers = find_workers(gateway)
    assert set(ask_once(gateway)) == {b"HTTP/1.1 200 OK"}
    for worker in workers:
        limit_files(worker, worker.num_fds())
    spent = sum_cpu(workers)
    try:
        with connected(gateway, CONNECTIONS) as connections:
            for connection in connections:
                connection.sendall(REQUEST)
            connections[-1].settimeout(3)
            with pytest.raises(TimeoutError):
                connections[-1].recv(1)
            assert sum_cpu(workers) - spent < 1
            for worker in workers:
                limit_files(worker, ENOUGH_FILES)
            for connection in connections:
                connection.settimeout(ANSWER_SECONDS)
                assert connection.recv(10_000).startswith(b"HTTP/1.1 200 OK")
    finally:
        for worker in workers:
            limit_files(worker, ENOUGH_FILES)
    assert not [line for line in read_log(tmp_path) if line["level"] != "info"]


def limit_files(worker: psutil.Process, most: int) -> None:
    _, bound = worker.rlimit(resource.RLIMIT_NOFILE)
    worker.rlimit(resource.RLIMIT_NOFILE, (most, bound))


def ask_once(gateway: GatewayProcess) -> list[bytes]:
    with connected(gateway, 1) as connections:
        return ask(connections)


def sum_cpu(workers: list[psutil.Process]) -> float:
    """Return the CPU seconds that the workers have used."""
    return sum(sum(worker.cpu_times()[:2]) for worker in workers)


def test_a_connection_that_is_reset_at_once_is_nothing(gateway: GatewayProcess, tmp_path: Path) -> None:
    """Clients that reset before, during or after being accepted are not logged, and later ones are served."""
    address = ("127.0.0.1", get_port(gateway))
    for number in range(200):
        with socket.create_connection(address) as connection:
            if number % 2:
                connection.sendall(REQUEST[:10])
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    assert ask_once(gateway) == [b"HTTP/1.1 200 OK"]
    wait_until(lambda: not any(count_connections(gateway, each) for each in find_workers(gateway)), "their end")
    assert not [line for line in read_log(tmp_path) if line["level"] != "info"]
    log = (tmp_path / "gateway.log").read_text()
    assert not re.search("Traceback|Error|never retrieved", log)


def test_a_worker_that_is_replaced_gets_its_share(gateway: GatewayProcess) -> None:
    """The worker that replaces a killed one takes its share of new connections."""
    with connected(gateway, CONNECTIONS) as connections:
        ask(connections)
        killed, left = find_workers(gateway)
        killed.kill()
        # Until it is reaped it may vanish while it is inspected.
        killed.wait(ANSWER_SECONDS)
        wait_until(lambda: len(find_workers(gateway)) == WORKERS, "the other worker")
        [new] = [worker for worker in find_workers(gateway) if worker != left]
        wait_until(lambda: takes_the_next(gateway, new), "the new worker to serve")
        with connected(gateway, CONNECTIONS // 4) as more:
            assert set(ask(more)) == {b"HTTP/1.1 200 OK"}
            assert count_connections(gateway, new) >= CONNECTIONS // 8
    assert httpx.get(f"{gateway.url}/health/ready").is_success


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere such a client may be reset")
async def test_who_connects_at_the_end_is_refused() -> None:
    """A client that connects after the closing acceptor's last check is refused, not accepted and then reset."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as before, socket.socket() as after:
        before.setblocking(False)  # noqa: FBT003 - the standard library's signature
        after.setblocking(False)  # noqa: FBT003 - as above
        acceptor = Acceptor(listener, asyncio.Protocol, (), Scoreboard([0], 0))
        await loop.sock_connect(before, listener.getsockname())
        acceptor.close()
        connecting = asyncio.create_task(loop.sock_connect(after, listener.getsockname()))
        await asyncio.wait([connecting], timeout=0)
        listener.close()
        with pytest.raises(ConnectionRefusedError):
            await connecting
        await loop.sock_sendall(before, REQUEST)


def test_the_last_worker_to_leave_knows() -> None:
    """A worker that has left is not waited for, and the last one to leave learns that none is left."""
    numbers = [0, 3]
    first, last = Scoreboard(numbers, 0), Scoreboard(numbers, 1)
    assert last.is_ahead()
    assert not first.leave()
    first.publish(0)
    assert not last.is_ahead()
    assert last.leave()
