"""What whoever watches the live transactions is told."""

from typing import Protocol


class FeedObserver(Protocol):
    """Whoever is told how the feed does; none of it may raise."""

    def note_subscribers(self, change: int) -> None:
        """So many more are there."""

    def note_delivered(self, events: int) -> None:
        """So many were handed on, counted once for each subscriber."""

    def note_cut_off(self, code: str) -> None:
        """A subscriber was cut off, with this error."""

    def note_lag(self, seconds: int) -> None:
        """The stream is so far behind the server; 0 where there is none."""

    def note_away(self, *, is_away: bool) -> None:
        """The database is away, or the stream goes on."""
