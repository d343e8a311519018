"""Live events: a transaction that was added, and its place in the change stream.

Clients know a place by an opaque event id and can resume after it. Nothing here accesses the database.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TypeAlias

from database.errors import LiveEventUnknownError
from database.match import match
from database.query import RelativeFilter
from database.row import Row, shape_row
from database.stream import Change

# A resume token's `_data`, a hexadecimal KeyString: later places compare greater. A sharded cluster's router relies on
# the same order when it merges the streams of its shards.
Place: TypeAlias = str
Encode: TypeAlias = Callable[[str, Row], bytes]

_CHECKSUM_BYTES = 4
# The token contains the document's `_id`, which may be a long string.
_LONGEST_ID = 2_000
_UNKNOWN = (
    "The event id is not one of this stream, or was altered; send it as it was received, or begin without one "
    "and read what was missed at /transactions."
)


def encode_event_id(place: Place, database: str) -> str:
    """Encode a place in the stream of a database as URL-safe text."""
    raw = bytes.fromhex(place)
    return urlsafe_b64encode(_checksum(raw, database) + raw).rstrip(b"=").decode()


def decode_event_id(text: str, database: str) -> Place:
    """Decode an id that `encode_event_id` wrote for the same database.

    Raises:
        LiveEventUnknownError: the id is not one of this database's.
    """
    if len(text) <= _LONGEST_ID and text.isascii():
        try:
            both = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except ValueError:
            both = b""
        raw = both[_CHECKSUM_BYTES:]
        if raw and both[:_CHECKSUM_BYTES] == _checksum(raw, database):
            return raw.hex().upper()
    raise LiveEventUnknownError(_UNKNOWN)


def _checksum(raw: bytes, database: str) -> bytes:
    # Detects accidental changes and ids of another database. It need not resist forgery: a place holds no secret.
    return blake2b(raw + database.encode(), digest_size=_CHECKSUM_BYTES, person=b"live event").digest()


@dataclass(frozen=True, slots=True, eq=False)
class LiveEvent:
    """An added transaction, masked or not; all subscribers with the same permission share one instance.

    Attributes:
        id: opaque; sent as `after`, it resumes the stream after this event.
        place: the same position, in comparable form.
        row: as the repository returns it; must not be modified.
        data: the id and the row as the feed's `encode` serialised them, once for all subscribers.
    """

    id: str
    place: Place
    row: Row = field(repr=False)
    data: bytes = field(repr=False)


class Arrival:
    """An added transaction as stored; `show` returns what a given kind of caller may see.

    Attributes:
        place: its place in the stream.
        moment: when it was added by the server's clock, in ms since the epoch, UTC.
        document: the declared fields, as stored.
        size: the size of the whole stored document, in bytes.
    """

    __slots__ = ("_events", "_matches", "document", "moment", "place", "size")

    def __init__(self, change: Change) -> None:
        """Read a change as the stages of shared_stream.py project it."""
        self.place: Place = change["_id"]["_data"]
        # `wallTime` exists since MongoDB 6.0, and a router may omit it; the cluster time has whole seconds only.
        self.moment: int = change.get("moment") or change["clusterTime"].time * 1000
        self.document: Row = change["fullDocument"]
        self.size: int = change["size"]
        self._matches: dict[RelativeFilter, bool] = {}
        self._events: dict[bool, LiveEvent] = {}

    def matches(self, wanted: RelativeFilter) -> bool | None:
        """Return whether it matches a filter; None if only the server can decide and its result is not noted yet."""
        is_match = match(self.document, wanted.build_filter(self.moment))
        return self._matches.get(wanted) if is_match is None else is_match

    def note_match(self, wanted: RelativeFilter, *, matches: bool) -> None:
        """Keep the server's result for a filter that `matches` could not decide."""
        self._matches[wanted] = matches

    def show(self, database: str, encode: Encode, *, masked: bool) -> LiveEvent:
        """Return the event with card numbers masked or whole; each of the two is built once."""
        event = self._events.get(masked)
        if event is None:
            event_id = encode_event_id(self.place, database)
            row = shape_row(dict(self.document), is_masking=masked)
            event = self._events[masked] = LiveEvent(event_id, self.place, row, encode(event_id, row))
        return event
