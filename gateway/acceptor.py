"""Takes connections for one of several workers that share a listening socket, so that all get about as many.

The system wakes every worker for a connection and gives it to the quickest, which may take all of a burst. Each worker
tells the others how many it has, and one that is ahead of another lets that one come first.
"""

import asyncio
import errno
import socket
from collections.abc import Callable, Sized

from gateway.board import Board

# Long enough for another worker to wake up in; one that does not is busy, or hung.
_GRACE_SECONDS = 0.005
# In an overload the others are all busy, and clients wait: with many connections, many are taken at a time.
_MOST_AT_ONCE = 64
_PAUSE_SECONDS = 1.0
# Too many open files, here or on the whole machine, or no memory: it passes when a connection is closed.
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Acceptor:
    """Accepts until it is closed."""

    def __init__(
        self,
        listener: socket.socket,
        open_protocol: Callable[[], asyncio.BaseProtocol],
        connections: Sized,
        board: Board,
    ) -> None:
        """Begin; `connections` are those that the protocols have open."""
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._open_protocol = open_protocol
        self._connections = connections
        self._board = board
        self._opening: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None
        listener.setblocking(False)  # noqa: FBT003 - the standard library's own
        self._wait()

    def close(self) -> None:
        """Accept no more than those that have connected already: the end of the listener would reset them."""
        while self._accept():
            pass
        self._loop.remove_reader(self._listener)
        if self._timer is not None:
            self._timer.cancel()

    def tell(self) -> None:
        """Tell the other workers how many connections this one has."""
        self._board.tell(len(self._connections) + len(self._opening))

    def _wait(self) -> None:
        self._timer = None
        self._loop.add_reader(self._listener, self._choose)

    def _choose(self) -> None:
        self.tell()
        for _ in range(_MOST_AT_ONCE):
            if self._board.is_ahead():
                self._loop.remove_reader(self._listener)
                self._timer = self._loop.call_later(_GRACE_SECONDS, self._accept_late)
                return
            if not self._accept():
                return

    def _accept_late(self) -> None:
        """Take a share of what it has: those that are behind have had their time."""
        self._wait()
        for _ in range(self._board.get_slack() + 1):
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
