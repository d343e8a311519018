"""Waiting for a condition instead of for a time."""

import socket
import time
from collections.abc import Callable

# A first start loads 20,000 documents, and the machine may be busy with other tests.
DEADLINE_SECONDS = 120
_PAUSE_SECONDS = 0.02


def wait_until(condition: Callable[[], object], what: str = "the condition") -> None:
    """Look until `condition()` is true; fail with `what` when the deadline passes."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"still waiting for {what}"
        time.sleep(_PAUSE_SECONDS)


def find_free_port() -> int:
    """A port that is free now; another program may take it before it is used."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
