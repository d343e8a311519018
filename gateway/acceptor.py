"""Takes connections for one of several workers that share a listening socket, so that all get about as many.

The system wakes every worker for a connection and gives it to the quickest, which may take all of a burst. Each worker
tells the others how many it has, and one that is ahead of another lets that one come first.
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

# Long enough for another worker to wake up in; one that does not is busy, or hung.
_GRACE_SECONDS = 0.005
# In an overload the others are all busy, and clients wait: with many connections, many are taken at a time.
_MOST_AT_ONCE = 64
_PAUSE_SECONDS = 1.0
# Too many open files, here or on the whole machine, or no memory: it passes when a connection is closed.
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
# Linux's SO_ATTACH_FILTER (socket(7)), and a filter in the kernel's own code: load the flags of a TCP header; where SYN
# is among them, which begins a connection, drop the packet; let all others pass.
_ATTACH_FILTER = 26
_DROP_SYN = b"".join(
    struct.pack("HBBI", *step)
    for step in ((0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 2**32 - 1))
)


class Acceptor:
    """Accepts until it is closed."""

    def __init__(
        self,
        listener: socket.socket,
        open_protocol: Callable[[], asyncio.BaseProtocol],
        connections: Sized,
        scoreboard: Scoreboard,
    ) -> None:
        """Begin; `connections` are those that the protocols have open."""
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
        """Accept no more than those that have connected already: the end of the listener would reset them."""
        if self._scoreboard.leave():
            # The others, if there are any, take what comes until they stop too.
            _let_nobody_connect(self._listener)
        while self._accept():
            pass
        self._loop.remove_reader(self._listener)
        if self._timer is not None:
            self._timer.cancel()

    def tell(self) -> None:
        """Tell the other workers how many connections this one has."""
        self._scoreboard.tell(len(self._connections) + len(self._opening))

    def _wait(self) -> None:
        self._timer = None
        self._loop.add_reader(self._listener, self._choose)

    def _choose(self) -> None:
        self.tell()
        for _ in range(_MOST_AT_ONCE):
            if self._scoreboard.is_ahead():
                self._loop.remove_reader(self._listener)
                self._timer = self._loop.call_later(_GRACE_SECONDS, self._accept_late)
                return
            if not self._accept():
                return

    def _accept_late(self) -> None:
        """Take a share of what it has: those that are behind have had their time."""
        self._wait()
        for _ in range(self._scoreboard.get_slack() + 1):
            if not self._accept():
                return

    def _accept(self) -> bool:
        """Take a connection, if there is one."""
        try:
            connection, _ = self._listener.accept()
        except OSError as error:
            # Otherwise another worker was quicker, or the client has left.
            if error.errno in _EXHAUSTED:
                self._loop.remove_reader(self._listener)
                self._timer = self._loop.call_later(_PAUSE_SECONDS, self._wait)
            return False
        connection.setblocking(False)  # noqa: FBT003 - as above
        opening = self._loop.create_task(self._loop.connect_accepted_socket(self._open_protocol, connection))
        self._opening.add(opening)
        opening.add_done_callback(self._end_opening)
        self.tell()
        return True

    def _end_opening(self, opening: "asyncio.Task[object]") -> None:
        self._opening.discard(opening)
        if not opening.cancelled():
            # A client that has left already is nobody's failure.
            opening.exception()


def _let_nobody_connect(listener: socket.socket) -> None:
    """Leave who begins to connect unanswered: it tries again a second later, and is refused if the listener has ended.

    Otherwise it could connect between the last look at who has and the end of the listener, which would reset it.
    """
    if sys.platform != "linux":
        return
    steps = ctypes.create_string_buffer(_DROP_SYN, len(_DROP_SYN))
    number = len(_DROP_SYN) // struct.calcsize("HBBI")
    with contextlib.suppress(OSError):  # what only looks like Linux may have no filters
        listener.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HP", number, ctypes.addressof(steps)))
