"""How the live transactions of a worker report on themselves, to logs and metrics for instance."""

from typing import Protocol


class FeedObserver(Protocol):
    """What a feed calls to report on itself; no method may raise."""

    def note_subscribers(self, change: int) -> None:
        """Add `change` to the number of subscribers; it is negative when one has left."""

    def note_delivered(self, events: int) -> None:
        """Count events that were handed on, once for each subscriber that was given them."""

    def note_cut_off(self, code: str) -> None:
        """Count a subscriber that was cut off; `code` is that of the error it was told."""

    def note_lag(self, seconds: int) -> None:
        """Keep how far the stream is behind the server, in whole seconds; 0 when there is no stream."""

    def note_away(self, *, is_away: bool) -> None:
        """Note that the database went away, or that it is back and the stream goes on."""
