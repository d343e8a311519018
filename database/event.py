"""What a live subscriber is given: a transaction that was added, and its place in the stream.

A place is known outside by an opaque id; whoever names one goes on after it. Nothing here asks the database.
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

# A resume token's `_data`, a KeyString in hexadecimal: the later of two is the greater, which is how a router of a
# sharded cluster merges the streams of its shards.
Place: TypeAlias = str
Encode: TypeAlias = Callable[[str, Row], bytes]

_CHECKSUM_BYTES = 4
# Of a document whose `_id` is a long text the token is as long.
_LONGEST_ID = 2_000
_UNKNOWN = (
    "The event id is not one of this stream, or was altered; send it as it was received, or begin without one "
    "and read what was missed at /transactions."
)


def encode_event_id(place: Place, database: str) -> str:
    """Write a place in the stream of a database as URL-safe text."""
    raw = bytes.fromhex(place)
    return urlsafe_b64encode(_checksum(raw, database) + raw).rstrip(b"=").decode()


def decode_event_id(text: str, database: str) -> Place:
    """Read back what `encode_event_id` wrote for the same database.

    Raises:
        LiveEventUnknownError: it did not write this.
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
    # No slip passes, nor the id of another database; a forger gains nothing, for a place holds no secret.
    return blake2b(raw + database.encode(), digest_size=_CHECKSUM_BYTES, person=b"live event").digest()


@dataclass(frozen=True, slots=True, eq=False)
class LiveEvent:
    """A transaction that was added, as one kind of caller may see it; all who may see the same share it.

    Attributes:
        id: opaque; given as `after`, the stream goes on after this event.
        place: the same, for comparing.
        row: as the repository gives it, never to be changed.
        data: what the feed's `encode` made of the id and the row, once for all.
    """

    id: str
    place: Place
    row: Row = field(repr=False)
    data: bytes = field(repr=False)


class Arrival:
    """A transaction that was added, with all that is stored; `show` gives what one kind of caller may see.

    Attributes:
        place: in the stream.
        moment: when it was added by the server's clock, in ms since the epoch, UTC.
        document: the fields that the questions know, as they are stored.
        size: of the whole document as it is stored, bytes.
    """

    __slots__ = ("_events", "_verdicts", "document", "moment", "place", "size")

    def __init__(self, change: Change) -> None:
        """Take what the stages of shared_stream.py leave of a change."""
        self.place: Place = change["_id"]["_data"]
        # Before MongoDB 6.0's `wallTime`, and where a router leaves it out, the second has to do.
        self.moment: int = change.get("moment") or change["clusterTime"].time * 1000
        self.document: Row = change["fullDocument"]
        self.size: int = change["size"]
        self._verdicts: dict[RelativeFilter, bool] = {}
        self._events: dict[bool, LiveEvent] = {}

    def matches(self, wanted: RelativeFilter) -> bool | None:
        """Give whether it matches a filter; None while only the server can say and its verdict was not noted."""
        verdict = match(self.document, wanted.build_filter(self.moment))
        return self._verdicts.get(wanted) if verdict is None else verdict

    def note_verdict(self, wanted: RelativeFilter, *, matches: bool) -> None:
        """Keep the server's verdict on a filter that `matches` could not judge."""
        self._verdicts[wanted] = matches

    def show(self, database: str, encode: Encode, *, masked: bool) -> LiveEvent:
        """Give the event for callers who see card numbers masked, or whole; it is made once for each kind."""
        event = self._events.get(masked)
        if event is None:
            event_id = encode_event_id(self.place, database)
            row = shape_row(dict(self.document), is_masking=masked)
            event = self._events[masked] = LiveEvent(event_id, self.place, row, encode(event_id, row))
        return event
