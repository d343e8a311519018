"""Sends one request as raw bytes and parses the raw response; allows requests that no HTTP client would send."""

import http.client
import io
import shlex
import socket
import time
from dataclasses import dataclass
from typing import Any

import httpx

# Longer than the gateway's own limits for a query and for a body: a response that takes longer counts as hung.
HANG_SECONDS = 20
_CHUNK_BYTES = 65_536


class HangError(Exception):
    """The response did not end in time."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request sent on its own connection.

    Attributes:
        kind: which strategy made it.
        method: an HTTP method, or any other bytes.
        target: path and query string, as sent.
        headers: names and values; Host and Content-Length are added where they are missing.
        body: None for no body.
        key: the API key to send, if any.
        case: the schemathesis case it was made from, if any.
        wire: bytes that are sent instead of all the above, after which the sending side is closed.
    """

    kind: str
    method: bytes
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes | None = None
    key: str | None = None
    case: Any = None
    wire: bytes | None = None

    @property
    def is_framed_by_hand(self) -> bool:
        """Whether the request may announce more bytes than it sends; the gateway must not be left waiting for them."""
        names = {name.lower() for name, _ in self.headers}
        return self.wire is not None or bool(names & {b"content-length", b"transfer-encoding", b"expect"})

    def list_headers(self) -> list[tuple[bytes, bytes]]:
        """Return all headers except Host."""
        names = {name.lower() for name, _ in self.headers}
        headers = list(self.headers)
        if self.key is not None:
            headers.append((b"Authorization", b"Bearer " + self.key.encode()))
        if self.body is not None and not names & {b"content-length", b"transfer-encoding"}:
            headers.append((b"Content-Length", str(len(self.body)).encode()))
        return [*headers, (b"Connection", b"close")]

    def render(self, host: bytes) -> bytes:
        """Return the bytes to send."""
        if self.wire is not None:
            return self.wire
        own = [] if any(name.lower() == b"host" for name, _ in self.headers) else [(b"Host", host)]
        lines = [b"%s: %s" % header for header in [*own, *self.list_headers()]]
        return b"\r\n".join([b"%s %s HTTP/1.1" % (self.method, self.target), *lines, b"", self.body or b""])

    def describe(self, url: str) -> str:
        """Return a command line that sends the same request, using curl where curl can send it."""
        raw = self.render(url.removeprefix("http://").encode())
        if self.wire is not None or not raw.isascii() or b"\0" in raw:
            return f"printf %b {shlex.quote(_escape(raw))} | nc {url.removeprefix('http://').replace(':', ' ')}"
        words = ["curl", "-i", "--path-as-is", "-X", self.method.decode()]
        for name, value in self.list_headers():
            words += ["-H", f"{name.decode()}: {value.decode()}" if value else f"{name.decode()};"]
        if self.body is not None:
            words += ["--data-binary", self.body.decode()]
        return shlex.join([*words, url + self.target.decode()])


@dataclass(frozen=True, slots=True)
class Answer:
    """A response.

    Attributes:
        status: the HTTP status.
        headers: in order, names in lower case.
        body: with the chunked framing removed and the content decoded.
        seconds: from connecting to the last byte.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    seconds: float

    def get_all(self, name: str) -> list[str]:
        """Return all values of a header."""
        return [value for given, value in self.headers if given == name]

    @property
    def media_type(self) -> str:
        """The media type without its parameters; empty if there is no Content-Type."""
        return (self.get_all("content-type") or [""])[0].partition(";")[0]


class _Bytes:
    """A stand-in for the socket that http.client expects."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def send(url: str, request: Request) -> Answer | None:
    """Send a request and return the first response, or None if the connection closed without one.

    Raises:
        HangError: the response did not end within HANG_SECONDS.
        http.client.HTTPException: the bytes received are not a response, or not a complete one.
    """
    host, _, port = url.removeprefix("http://").partition(":")
    started = time.monotonic()
    received = bytearray()
    try:
        with socket.create_connection((host, int(port)), HANG_SECONDS) as connection:
            connection.sendall(request.render(f"{host}:{port}".encode()))
            if request.is_framed_by_hand:
                connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(_CHUNK_BYTES):
                received += chunk
                if _is_begun_stream(received):
                    # The stream has no end: its beginning is judged as if it were the whole body.
                    received += b"0\r\n\r\n" if b"transfer-encoding: chunked" in received else b""
                    break
                if time.monotonic() - started > HANG_SECONDS:
                    raise HangError
    except TimeoutError:
        raise HangError from None
    except OSError:
        # The gateway may close the connection before it has read the whole request; the response it sent still counts.
        pass
    return _parse(bytes(received), request.method, time.monotonic() - started) if received else None


def _is_begun_stream(received: bytearray) -> bool:
    """Whether this is an event stream that has sent its first complete event."""
    head, _, body = received.partition(b"\r\n\r\n")
    return b"content-type: text/event-stream" in head and body.rstrip(b"\r").endswith((b"\n\n", b"\n\n\r\n"))


def _parse(received: bytes, method: bytes, seconds: float) -> Answer:
    response = http.client.HTTPResponse(_Bytes(received), method=method.decode("latin-1"))  # type: ignore[arg-type]  # only makefile is called
    response.begin()
    headers = tuple((name.lower(), value) for name, value in response.getheaders())
    # The requests made by schemathesis accept gzip.
    body = httpx.Response(response.status, headers=headers, content=response.read()).content
    return Answer(response.status, headers, body, seconds)


def _escape(raw: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 and byte != 92 else f"\\0{byte:03o}" for byte in raw)
