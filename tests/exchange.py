"""One request as the bytes that are sent, and the answer as the bytes that came: what no HTTP client would let out."""

import http.client
import io
import shlex
import socket
import time
from dataclasses import dataclass
from typing import Any

import httpx

# Beyond the gateway's own limits for a question and for a body: what takes longer hangs.
HANG_SECONDS = 20
_CHUNK_BYTES = 65_536


class HangError(Exception):
    """The answer did not end in time."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent on a connection of its own.

    Attributes:
        kind: what made it.
        method: HTTP's, or anything.
        target: path and query as they are written.
        headers: names and values; Host and Content-Length are added where they are missing.
        body: None for none.
        key: the API key that is sent, if one is.
        case: schemathesis' own view of it.
        wire: the bytes that are sent instead of all this, after which no more is sent.
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
        """Whether the request may say that more is to come than does: nobody must wait for it."""
        names = {name.lower() for name, _ in self.headers}
        return self.wire is not None or bool(names & {b"content-length", b"transfer-encoding", b"expect"})

    def list_headers(self) -> list[tuple[bytes, bytes]]:
        """Give all headers but Host."""
        names = {name.lower() for name, _ in self.headers}
        headers = list(self.headers)
        if self.key is not None:
            headers.append((b"Authorization", b"Bearer " + self.key.encode()))
        if self.body is not None and not names & {b"content-length", b"transfer-encoding"}:
            headers.append((b"Content-Length", str(len(self.body)).encode()))
        return [*headers, (b"Connection", b"close")]

    def render(self, host: bytes) -> bytes:
        """Give the bytes that are sent."""
        if self.wire is not None:
            return self.wire
        own = [] if any(name.lower() == b"host" for name, _ in self.headers) else [(b"Host", host)]
        lines = [b"%s: %s" % header for header in [*own, *self.list_headers()]]
        return b"\r\n".join([b"%s %s HTTP/1.1" % (self.method, self.target), *lines, b"", self.body or b""])

    def describe(self, url: str) -> str:
        """Give a command line that sends the same, by curl where curl can."""
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
    """What came back.

    Attributes:
        status: HTTP's.
        headers: in their order, names in lower case.
        body: without chunks, and decoded.
        seconds: from the connection to the last byte.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    seconds: float

    def get_all(self, name: str) -> list[str]:
        """Give a header's values."""
        return [value for given, value in self.headers if given == name]

    @property
    def media_type(self) -> str:
        """The content's type without its parameters; empty for none."""
        return (self.get_all("content-type") or [""])[0].partition(";")[0]


class _Bytes:
    """What http.client takes for a socket."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def send(url: str, request: Request) -> Answer | None:
    """Send a request and give the first answer to it, or None where the connection ended without any.

    Raises:
        HangError: no end of it within HANG_SECONDS.
        http.client.HTTPException: what came is not an answer, or not whole.
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
                    # It has no end: what it begins with is judged, as a whole body.
                    received += b"0\r\n\r\n" if b"transfer-encoding: chunked" in received else b""
                    break
                if time.monotonic() - started > HANG_SECONDS:
                    raise HangError
    except TimeoutError:
        raise HangError from None
    except OSError:
        # The gateway may close before it has read all that was sent; what it answered counts.
        pass
    return _parse(bytes(received), request.method, time.monotonic() - started) if received else None


def _is_begun_stream(received: bytearray) -> bool:
    """Whether this is a stream of events that has told where it begins."""
    head, _, body = received.partition(b"\r\n\r\n")
    return b"content-type: text/event-stream" in head and body.rstrip(b"\r").endswith((b"\n\n", b"\n\n\r\n"))


def _parse(received: bytes, method: bytes, seconds: float) -> Answer:
    response = http.client.HTTPResponse(_Bytes(received), method=method.decode("latin-1"))  # type: ignore[arg-type]  # only makefile is asked
    response.begin()
    headers = tuple((name.lower(), value) for name, value in response.getheaders())
    # The requests that schemathesis makes accept gzip.
    body = httpx.Response(response.status, headers=headers, content=response.read()).content
    return Answer(response.status, headers, body, seconds)


def _escape(raw: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 and byte != 92 else f"\\0{byte:03o}" for byte in raw)
