"""A client of `GET /transactions/live` that reads the stream as the HTML Standard says, and an observer of a feed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from database.row import Row

_TIMEOUT = httpx.Timeout(60)


def read_lines(response: httpx.Response) -> Iterator[str]:
    """Yield the lines of a stream as they arrive; httpx's own `iter_lines` would also split at U+2028 and the like."""
    rest = b""
    for part in response.iter_bytes():
        *lines, rest = (rest + part).split(b"\n")
        yield from (line.decode() for line in lines)


@dataclass
class EventSource:
    """One connection. `next` returns its events; `last_event_id` and `retry` hold the state an EventSource keeps."""

    response: httpx.Response
    last_event_id: str = ""
    retry: int | None = None
    comments: int = 0
    lines: Iterator[str] = field(init=False)

    def __post_init__(self) -> None:
        self.lines = read_lines(self.response)

    def next(self) -> tuple[str, Any]:
        """Return the next event's type and data; raises StopIteration at the end of the stream."""
        kind, data, event_id = "message", [], self.last_event_id
        while True:
            line = next(self.lines)
            name, _, value = line.partition(":")
            match name:
                case "event":
                    kind = value.removeprefix(" ")
                case "data":
                    data.append(value.removeprefix(" "))
                case "id":
                    event_id = value.removeprefix(" ")
                case "retry":
                    self.retry = int(value)
                case "" if line:
                    self.comments += 1
                case "":
                    self.last_event_id = event_id
                    if data:
                        return kind, json.loads("\n".join(data))
                    kind = "message"

    def await_id(self) -> str:
        """Read until an id arrives and return it; lines before it are ignored."""
        while not self.last_event_id:
            line = next(self.lines)
            if line.startswith("id: "):
                self.last_event_id = line.removeprefix("id: ")
        return self.last_event_id

    def take(self, count: int) -> list[Row]:
        """Return the rows of the next `count` events, each of which must be a transaction."""
        rows = []
        for _ in range(count):
            kind, data = self.next()
            assert kind == "transaction", data
            rows.append(data)
        return rows


@contextmanager
def connect(url: str, last_event_id: str = "", **options: Any) -> Iterator[EventSource]:
    """Follow a gateway's live transactions until the block ends."""
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    headers |= options.pop("headers", {})
    with httpx.stream("GET", f"{url}/transactions/live", headers=headers, timeout=_TIMEOUT, **options) as response:
        if response.status_code != httpx.codes.OK:
            response.read()
            assert response.status_code == httpx.codes.OK, response.text
        source = EventSource(response, last_event_id)
        if not last_event_id:
            source.await_id()
        yield source


@dataclass
class FeedWatcher:
    """A feed observer that records its notifications."""

    subscribers: int = 0
    delivered: int = 0
    cut_off: list[str] = field(default_factory=list)
    absences: int = 0
    lag: int = 0

    def note_subscribers(self, change: int) -> None:
        self.subscribers += change

    def note_delivered(self, events: int) -> None:
        self.delivered += events

    def note_cut_off(self, code: str) -> None:
        self.cut_off.append(code)

    def note_lag(self, seconds: int) -> None:
        self.lag = seconds

    def note_away(self, *, is_away: bool) -> None:
        self.absences += is_away


def encode(event_id: str, row: Row) -> bytes:
    """Encode an event for a feed that no gateway reads."""
    return event_id.encode() + orjson.dumps(row, default=str)
