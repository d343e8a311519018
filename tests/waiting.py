"""Waiting for a condition instead of for a time, and ports that nobody else takes meanwhile."""

import os
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable

import psutil

# A first start loads 20,000 documents, and the machine may be busy with other tests.
DEADLINE_SECONDS = 120
_PAUSE_SECONDS = 0.02
# As many as a test may ask for and still use, by far.
_MOST_HELD = 100

_held: deque[socket.socket] = deque()


def wait_until(condition: Callable[[], object], what: str = "the condition") -> None:
    """Look until `condition()` is true; fail with `what` when the deadline passes."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"still waiting for {what}"
        time.sleep(_PAUSE_SECONDS)


def hang(process_id: int) -> None:
    """Stop a process until it gets SIGCONT: its sockets stay open and nothing answers.

    The signal alone is only a request: a thread that runs on another processor may still answer what comes next.
    """
    os.kill(process_id, signal.SIGSTOP)
    wait_until(lambda: _is_stopped(process_id), "the process to stop")


def _is_stopped(process_id: int) -> bool:
    try:
        # Linux alone tells the state of each thread, and under its number; a process has that of its first one.
        threads = [thread.id for thread in psutil.Process(process_id).threads()] if sys.platform == "linux" else []
        return all(psutil.Process(number).status() == psutil.STATUS_STOPPED for number in (process_id, *threads))
    except psutil.NoSuchProcess:
        # A thread that ended while the others were looked at.
        return False


def find_free_port() -> int:
    """A port that is free, and that no other program on Linux is given but one that asks for it by its number.

    Tests in other processes, and connections of clients, take any port that is free, also between two uses of this one.
    A socket that is bound to it and does not listen keeps it from them, and not from a server: both set SO_REUSEADDR.
    """
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind(("127.0.0.1", 0))
    _held.append(probe)
    port = int(probe.getsockname()[1])
    # Elsewhere it would keep the port from the server too.
    while len(_held) > (_MOST_HELD if sys.platform == "linux" else 0):
        _held.popleft().close()
    return port
