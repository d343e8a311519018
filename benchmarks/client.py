"""A client that sends requests over one connection and times the answers. It reads each to the end and keeps none."""

import socket
import time
from contextlib import closing
from dataclasses import dataclass
from statistics import median
from urllib.parse import urlsplit

import httptools

from benchmarks.question import Ask

_TIMEOUT_SECONDS = 60.0
_PART_BYTES = 1 << 18
_OK = 200


class WrongAnswerError(Exception):
    """A program answered with an error, or its answer broke off, during a measurement."""


@dataclass(frozen=True, slots=True)
class Latency:
    """The latency of several consecutive answers, in s.

    Attributes:
        whole: the median time to the end of the body.
        first: the median time to the first bytes.
        own: the client's own mean CPU time per answer; `whole` includes it.
    """

    whole: float
    first: float
    own: float


class Client:
    """A keep-alive connection; it blocks and parses in C, so that little of the measured time is its own."""

    def __init__(self, url: str) -> None:
        """Connect to the host and port of `url`."""
        parts = urlsplit(url)
        self._host = parts.netloc
        self._socket = socket.create_connection((parts.hostname, parts.port), _TIMEOUT_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._is_complete = False

    def close(self) -> None:
        self._socket.close()

    def on_message_complete(self) -> None:
        """Called by the parser."""
        self._is_complete = True

    def ask(self, ask: Ask) -> tuple[float, float]:
        """Return the times from the request to the answer's first bytes and to its end, in s.

        Raises:
            WrongAnswerError: the answer is not a 200, or ended early.
        """
        request = self._build_request(ask)
        parser = httptools.HttpResponseParser(self)
        self._is_complete = False
        first = None
        began = time.perf_counter()
        self._socket.sendall(request)
        while not self._is_complete:
            part = self._socket.recv(_PART_BYTES)
            if not part:
                raise WrongAnswerError(f"The answer to {ask.path} broke off.")
            first = first or time.perf_counter() - began
            parser.feed_data(part)
        whole = time.perf_counter() - began
        if (status := parser.get_status_code()) != _OK:
            raise WrongAnswerError(f"The answer to {ask.path} was a {status}.")
        return first or whole, whole

    def start(self, ask: Ask) -> float:
        """Return the time from the request to the first byte of the answer's body, in s, and close the connection.

        Raises:
            WrongAnswerError: the answer is not a 200, or ended before its body.
        """
        request = self._build_request(ask)
        answer = b""
        began = time.perf_counter()
        self._socket.sendall(request)
        # With chunked transfer coding, the body begins after the line with the first chunk's length.
        while len(answer.partition(b"\r\n\r\n")[2].partition(b"\r\n")[2]) == 0:
            part = self._socket.recv(_PART_BYTES)
            if not part:
                raise WrongAnswerError(f"The answer to {ask.path} broke off.")
            answer += part
        taken = time.perf_counter() - began
        self.close()
        if answer.split(b" ", 2)[1] != b"200":
            raise WrongAnswerError(f"The answer to {ask.path} was a {answer.split(b' ', 2)[1].decode()}.")
        return taken

    def _build_request(self, ask: Ask) -> bytes:
        if ask.body is None:
            return f"GET {ask.path} HTTP/1.1\r\nHost: {self._host}\r\n\r\n".encode()
        body = ask.body.encode()
        head = f"POST {ask.path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\n"
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def measure_latency(url: str, ask: Ask, seconds: float, *, at_least: int = 5) -> Latency:
    """Send requests one after the other over a new connection, for `seconds` and `at_least` times.

    The first answer does not count: the first on a connection costs more.

    Raises:
        WrongAnswerError: an answer was not a 200, or ended early.
    """
    with closing(Client(url)) as client:
        client.ask(ask)
        times: list[tuple[float, float]] = []
        began, own = time.perf_counter(), time.thread_time()
        while len(times) < at_least or time.perf_counter() - began < seconds:
            times.append(client.ask(ask))
        used = (time.thread_time() - own) / len(times)
        return Latency(median(whole for _, whole in times), median(first for first, _ in times), used)
