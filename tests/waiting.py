"""Waits for conditions instead of fixed times, and finds ports that no other program takes meanwhile."""

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
# Far more than one test may request and still use.
_MOST_HELD = 100

_held: deque[socket.socket] = deque()


def wait_until(condition: Callable[[], object], what: str = "the condition") -> None:
    """Poll until `condition()` is true; fail with `what` after DEADLINE_SECONDS."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"still waiting for {what}"
        time.sleep(_PAUSE_SECONDS)


def hang(process_id: int) -> None:
    """Stop a process until it gets SIGCONT: its sockets stay open but it responds to nothing.

    Returns once all threads have stopped: SIGSTOP takes effect asynchronously, and a thread on another core may still
    respond.
    """
    os.kill(process_id, signal.SIGSTOP)
    wait_until(lambda: _is_stopped(process_id), "the process to stop")


def _is_stopped(process_id: int) -> bool:
    try:
        # Only Linux reports the state of each thread, under the thread's id; a process has the state of its first
        # thread.
        threads = [thread.id for thread in psutil.Process(process_id).threads()] if sys.platform == "linux" else []
        return all(psutil.Process(number).status() == psutil.STATUS_STOPPED for number in (process_id, *threads))
    except psutil.NoSuchProcess:
        # A thread ended while the others were checked.
        return False


def find_free_port() -> int:
    """Return a free port that, on Linux, only a program that requests it by number can get.

    Tests in other processes and client connections take any free port, also between two uses of this one. A socket that
    is bound to the port but does not listen reserves it; servers can still bind it, as both set SO_REUSEADDR.
    """
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind(("127.0.0.1", 0))
    _held.append(probe)
    port = int(probe.getsockname()[1])
    # On other systems the held socket would keep the server from the port too.
    while len(_held) > (_MOST_HELD if sys.platform == "linux" else 0):
        _held.popleft().close()
    return port
