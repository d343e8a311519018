"""A cheap subscriber to live transactions: thousands of them fit into one process next to a gateway."""

import asyncio
import json
import re
import time
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlsplit

_EVENT = re.compile(rb'event: (\w+)\nid: (\S+)\ndata: \{"_id":"([^"]*)"')
_RESULT = re.compile(rb'"transactionAdded":\{"_id":"([^"]*)"')
# uvicorn's ping: its payload of four bytes is sent back.
_PING = re.compile(rb"\x89\x04(.{4})", re.DOTALL)


_TEXT, _PONG = 0x1, 0xA
_LONG = 126


@dataclass
class Subscriber(asyncio.Protocol):
    """One connection: the ids of the transactions received, in order, and when the last of them arrived.

    Attributes:
        names: the `_id` of each transaction.
        arrived: when the last transaction arrived, by `time.perf_counter`.
        errors: received events that are not transactions, and the loss of the connection.
    """

    path: str
    host: str
    names: list[bytes] = field(default_factory=list)
    arrived: float = 0.0
    errors: list[bytes] = field(default_factory=list)
    connected: "asyncio.Future[None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    _rest: bytes = b""
    _transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        request = f"GET {self.path} HTTP/1.1\r\nHost: {self.host}\r\nAccept: text/event-stream\r\n\r\n"
        transport.write(request.encode())  # type: ignore[attr-defined]  # a socket's transport writes

    def data_received(self, data: bytes) -> None:
        self._rest += data
        if not self.connected.done():
            # The first id means that no event is missed from now on.
            if b"\nid: " in self._rest:
                self.connected.set_result(None)
            elif not self._rest.startswith(b"HTTP/1.1 200"):
                self.connected.set_exception(ConnectionError(self._rest.decode()))
        end = 0
        for match in _EVENT.finditer(self._rest):
            (self.names if match[1] == b"transaction" else self.errors).append(match[3])
            self.arrived = time.perf_counter()
            end = match.end()
        self._rest = self._rest[max(end, len(self._rest) - 2_000) :]

    def connection_lost(self, exc: Exception | None) -> None:
        self.errors.append(repr(exc).encode())
        if not self.connected.done():
            self.connected.set_exception(exc or ConnectionError("the connection was closed"))

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()


@dataclass
class SocketSubscriber(Subscriber):
    """One WebSocket; `path` is a GraphQL subscription to `transactionAdded` that selects the id as `_id`, first."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        lines = [
            "GET /graphql HTTP/1.1",
            f"Host: {self.host}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
            "Sec-WebSocket-Protocol: graphql-transport-ws",
        ]
        self._write("\r\n".join([*lines, "", ""]).encode())

    def _begin(self) -> None:
        for message in (
            {"type": "connection_init"},
            {"type": "subscribe", "id": "events", "payload": {"query": self.path}},
            # Its answer means that no event is missed from now on.
            {"type": "subscribe", "id": "begun", "payload": {"query": "{ __typename }"}},
        ):
            self._write(_frame(json.dumps(message).encode(), _TEXT))

    def data_received(self, data: bytes) -> None:
        if not self.connected.done() and data.startswith(b"HTTP/1.1 101"):
            self._begin()
        self._rest += data
        if not self.connected.done() and b'{"id":"begun","type":"complete"}' in self._rest:
            self.connected.set_result(None)
        for ping in _PING.finditer(data):
            self._write(_frame(ping[1], _PONG))
        end = 0
        for match in _RESULT.finditer(self._rest):
            self.names.append(match[1])
            self.arrived = time.perf_counter()
            end = match.end()
        self._rest = self._rest[max(end, len(self._rest) - 2_000) :]

    def _write(self, data: bytes) -> None:
        self._transport.write(data)  # type: ignore[union-attr]  # a socket's transport, which is connected, writes


def _frame(data: bytes, opcode: int) -> bytes:
    """Build a client's message, masked with zeros, which leave it unchanged (RFC 6455, section 5.3)."""
    length = bytes([0x80 | len(data)]) if len(data) < _LONG else b"\xfe" + len(data).to_bytes(2, "big")
    return bytes([0x80 | opcode]) + length + bytes(4) + data


async def subscribe(
    url: str, path: str, number: int, kind: type[Subscriber] = Subscriber, at_once: int = 100
) -> list[Subscriber]:
    """Return `number` connected subscribers; they connect `at_once` at a time."""
    address, loop = urlsplit(url), asyncio.get_running_loop()
    subscribers: list[Subscriber] = []
    while len(subscribers) < number:
        more = [kind(path, address.netloc) for _ in range(min(at_once, number - len(subscribers)))]
        for subscriber in more:
            await loop.create_connection(partial(_give, subscriber), address.hostname or "", address.port or 80)
        await asyncio.gather(*(subscriber.connected for subscriber in more))
        subscribers += more
    return subscribers


def _give(subscriber: Subscriber) -> Subscriber:
    return subscriber
