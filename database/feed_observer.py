"""The interface by which a worker's feed reports its state, for example to logs and metrics."""

from typing import Protocol


class FeedObserver(Protocol):
    """Called by a feed; no method may raise."""

    def note_subscribers(self, change: int) -> None:
        """Add `change` to the number of subscribers; it is negative when one leaves."""

    def note_delivered(self, events: int) -> None:
        """Count delivered events, once for each subscriber."""

    def note_cut_off(self, code: str) -> None:
        """Count a subscriber that was cut off; `code` is that of the error it received."""

    def note_lag(self, seconds: int) -> None:
        """Record the stream's lag behind the server, in whole seconds; 0 if there is no stream."""

    def note_away(self, *, is_away: bool) -> None:
        """Note that the database went away, or that it is back and the stream continues."""
