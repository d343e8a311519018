"""Accepts connections for one of several workers that share a listening socket, so that all get about as many.

The system wakes every worker for a connection, and the quickest accepts it, perhaps all of a burst. So each worker
publishes its number of connections, and one that is ahead of another lets that one accept first.
"""

import asyncio
import contextlib
import ctypes
import errno
import socket
import struct
import sys
from collections.abc import Callable, Sized

from gateway.scoreboard import Scoreboard

# Long enough for another worker to wake up; one that does not is busy or hung.
_GRACE_SECONDS = 0.005
# Connections accepted per wake-up: in an overload clients wait while all other workers are busy.
_MOST_AT_ONCE = 64
_PAUSE_SECONDS = 1.0
# Too many open files, in this process or on the machine, or no memory: it passes when a connection closes.
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
# Linux's SO_ATTACH_FILTER (socket(7)) and a classic BPF program: load the flags of the TCP header; drop the packet if
# SYN is set, which opens a connection; pass all others.
_ATTACH_FILTER = 26
_DROP_SYN = b"".join(
    struct.pack("HBBI", *step)
    for step in ((0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 2**32 - 1))
)


class Acceptor:
    """Accepts connections until it is closed."""

    def __init__(
        self,
        listener: socket.socket,
        open_protocol: Callable[[], asyncio.BaseProtocol],
        connections: Sized,
        scoreboard: Scoreboard,
    ) -> None:
        """Start accepting; `connections` are those that the protocols have open."""
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._open_protocol = open_protocol
        self._connections = connections
        self._scoreboard = scoreboard
        self._opening: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None
        listener.setblocking(False)  # noqa: FBT003 - the standard library's own
        self._wait()

    def close(self) -> None:
        """Accept the clients that have connected already, whom closing the listener would reset, and no others."""
        if self._scoreboard.leave():
            # While other workers are left, they accept new connections.
            _ignore_new_clients(self._listener)
        while self._accept():
            pass
        self._loop.remove_reader(self._listener)
        if self._timer is not None:
            self._timer.cancel()

    def publish(self) -> None:
        """Publish this worker's number of connections to the others."""
        self._scoreboard.publish(len(self._connections) + len(self._opening))

    def _wait(self) -> None:
        self._timer = None
        self._loop.add_reader(self._listener, self._on_readable)

    def _on_readable(self) -> None:
        self.publish()
        for _ in range(_MOST_AT_ONCE):
            if self._scoreboard.is_ahead():
                self._loop.remove_reader(self._listener)
                self._timer = self._loop.call_later(_GRACE_SECONDS, self._accept_late)
                return
            if not self._accept():
                return

    def _accept_late(self) -> None:
        """Accept a few, as the slack allows: the workers that are behind have had their time."""
        self._wait()
        for _ in range(self._scoreboard.get_slack() + 1):
            if not self._accept():
                return

    def _accept(self) -> bool:
        """Accept a connection; return whether there was one."""
        try:
            connection, _ = self._listener.accept()
        except OSError as error:
            # Any other error: another worker was quicker, or the client has disconnected.
            if error.errno in _EXHAUSTED:
                self._loop.remove_reader(self._listener)
                self._timer = self._loop.call_later(_PAUSE_SECONDS, self._wait)
            return False
        connection.setblocking(False)  # noqa: FBT003 - as above
        opening = self._loop.create_task(self._loop.connect_accepted_socket(self._open_protocol, connection))
        self._opening.add(opening)
        opening.add_done_callback(self._end_opening)
        self.publish()
        return True

    def _end_opening(self, opening: "asyncio.Task[object]") -> None:
        self._opening.discard(opening)
        if not opening.cancelled():
            # Retrieved, so that asyncio does not log it: a client that has already disconnected is not an error.
            opening.exception()


def _ignore_new_clients(listener: socket.socket) -> None:
    """Ignore clients that begin to connect: they retry after a second, and are refused once the listener is closed.

    Otherwise a client could connect between the last `accept` and the close of the listener, which would reset it.
    """
    if sys.platform != "linux":
        return
    steps = ctypes.create_string_buffer(_DROP_SYN, len(_DROP_SYN))
    number = len(_DROP_SYN) // struct.calcsize("HBBI")
    with contextlib.suppress(OSError):  # systems that emulate Linux may lack filters
        listener.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HP", number, ctypes.addressof(steps)))
