"""Joins the writes to a connection in one iteration of the event loop into one send: a head with its body.

Each system call to send costs about as much as computing a count. This module must not hold data for longer than that
iteration, nor much until then.
"""

import asyncio
from typing import Any

# More than this is sent at once, so that the transport's flow control sees how much the client has not taken.
_MOST_HELD_BYTES = 65_536


class JoinedTransport(asyncio.Transport):
    """A transport that joins writes to another one."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []
        self._bytes = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send some bytes by the next iteration of the event loop."""
        if not data:
            # Since Python 3.12 `writelines` of asyncio's own transport would retry an empty buffer for ever.
            return
        if not self._held:
            self._loop.call_soon(self._send)
        self._held.append(bytes(data))
        self._bytes += len(data)
        if self._bytes > _MOST_HELD_BYTES:
            self._send()

    def _send(self) -> None:
        held, self._held, self._bytes = self._held, [], 0
        # A connection may be lost in the iteration in which it is written to.
        if held and not self._transport.is_closing():
            self._transport.writelines(held)

    def close(self) -> None:
        self._send()
        self._transport.close()

    def abort(self) -> None:
        self._held, self._bytes = [], 0
        self._transport.abort()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def write_eof(self) -> None:
        self._send()
        self._transport.write_eof()

    def can_write_eof(self) -> bool:
        return self._transport.can_write_eof()

    def get_write_buffer_size(self) -> int:
        return self._bytes + self._transport.get_write_buffer_size()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._transport.get_write_buffer_limits()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._transport.set_write_buffer_limits(high, low)

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def is_reading(self) -> bool:
        return self._transport.is_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as asyncio has it
        return self._transport.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._transport.set_protocol(protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._transport.get_protocol()
