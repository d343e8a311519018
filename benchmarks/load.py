"""Load a gateway over HTTP/1.1, at a rate or by a number of clients, and record each answer's status and time."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

import httptools

# In an overload, sending at a fixed rate needs a connection for each request that waits.
_MOST_CONNECTIONS = 2_000


@dataclass(slots=True)
class Answers:
    """The answers to a load.

    Attributes:
        seconds: for each status, the times from when a request was due until its answer was complete.
        broken: requests whose connection could not be made, or ended before the answer did.
    """

    seconds: dict[int, list[float]] = field(default_factory=dict)
    broken: int = 0

    def get_quantile(self, status: int, share: float) -> float:
        """Return the time within which a share of the answers with a status arrived, in s."""
        ordered = sorted(self.seconds[status])
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

    def count(self, status: int) -> int:
        """Return the number of answers with a status."""
        return len(self.seconds.get(status, ()))


async def load_by_rate(url: str, rate: float, duration: float) -> Answers:
    """Send `rate` requests per second for `duration` seconds, however fast they are answered."""
    async with _Load(url) as load:
        began = time.perf_counter()
        sent, total = 0, int(rate * duration)
        while sent < total:
            due = min(int((time.perf_counter() - began) * rate) + 1, total)
            for number in range(sent, due):
                load.send(began + number / rate)
            sent = due
            await asyncio.sleep(0.001)
        await load.drain()
    return load.answers


async def load_by_clients(url: str, clients: int, duration: float) -> Answers:
    """Let each of `clients` send its next request once its last is answered, for `duration` seconds."""
    async with _Load(url) as load:
        load.until = time.perf_counter() + duration
        for _ in range(clients):
            load.send(time.perf_counter())
        await load.drain()
    return load.answers


class _Load:
    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        self.request = f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
        self.answers = Answers()
        self.until = 0.0
        # The longest idle connection is used next, so that all workers get their share.
        self.idle: deque[_Connection] = deque()
        self.due: deque[float] = deque()
        self.open = self.pending = 0
        self._drained = asyncio.Event()
        self._openings: set[asyncio.Task[object]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for connection in self.idle:
            connection.transport.close()

    def send(self, due: float) -> None:
        self.pending += 1
        if self.idle:
            self.idle.popleft().send(due)
            return
        self.due.append(due)
        if self.open < _MOST_CONNECTIONS:
            self._open_connection()

    def _open_connection(self) -> None:
        self.open += 1
        opening = asyncio.create_task(self._connect())
        self._openings.add(opening)
        opening.add_done_callback(self._openings.discard)

    async def _connect(self) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: _Connection(self), self.host, self.port)
        except OSError:
            if self.due:
                self.due.popleft()
                self.answers.broken += 1
                self.end()
            self.lose()

    def lose(self) -> None:
        """Note that a connection is gone; requests that wait for one get another."""
        self.open -= 1
        if self.due:
            self._open_connection()

    def take(self, connection: "_Connection", status: int, due: float) -> None:
        now = time.perf_counter()
        self.answers.seconds.setdefault(status, []).append(now - due)
        if now < self.until:
            connection.send(now)
        else:
            self.offer(connection)
            self.end()

    def end(self) -> None:
        self.pending -= 1
        if not self.pending:
            self._drained.set()

    def offer(self, connection: "_Connection") -> None:
        if self.due:
            connection.send(self.due.popleft())
        else:
            self.idle.append(connection)

    async def drain(self) -> None:
        self._drained.clear()
        if self.pending:
            await self._drained.wait()


class _Connection(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self, load: _Load) -> None:
        self._load = load
        self._parser = httptools.HttpResponseParser(self)
        self._due: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - create_connection passes nothing else
        self.transport = transport
        self._load.offer(self)

    def send(self, due: float) -> None:
        self._due = due
        self.transport.write(self._load.request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        status, due = self._parser.get_status_code(), self._due
        self._due = None
        self._parser = httptools.HttpResponseParser(self)
        if due is not None:
            self._load.take(self, status, due)

    def connection_lost(self, _error: Exception | None) -> None:
        self._load.lose()
        if self in self._load.idle:
            self._load.idle.remove(self)
        if self._due is not None:
            self._load.answers.broken += 1
            self._load.end()
