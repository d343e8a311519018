"""Reports on live transactions: by metrics, and in the log when the database becomes unreachable and returns."""

import structlog

from gateway.metrics import LIVE_CUT_OFF, LIVE_EVENTS, LIVE_LAG, LIVE_SUBSCRIBERS, find_child

logger = structlog.get_logger()


class FeedLog:
    """A FeedObserver for the feed of this worker."""

    def note_subscribers(self, change: int) -> None:
        """Adjust the number of subscribers."""
        LIVE_SUBSCRIBERS.inc(change)

    def note_delivered(self, events: int) -> None:
        """Count delivered events."""
        LIVE_EVENTS.inc(events)

    def note_cut_off(self, code: str) -> None:
        """Count a subscriber that was cut off."""
        find_child(LIVE_CUT_OFF, code).inc()

    def note_lag(self, seconds: int) -> None:
        """Set the lag."""
        LIVE_LAG.set(seconds)

    def note_away(self, *, is_away: bool) -> None:
        """Log that the database became unreachable, or that it is back."""
        if is_away:
            logger.warning("live transactions wait for the database")
        else:
            logger.info("live transactions go on")
