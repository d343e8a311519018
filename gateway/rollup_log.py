"""Reports on counts in memory: by two metrics, and in the log when counts start or cease to come from memory."""

import structlog

from gateway.metrics import ROLLUP_COUNTS, ROLLUP_LAG, find_child

logger = structlog.get_logger()


class RollupLog:
    """A RollupObserver for the rollup of this worker."""

    def __init__(self) -> None:
        """Start with no reason logged."""
        self._reason: str | None = None

    def note_count(self, *, from_memory: bool) -> None:
        """Record where a count came from, and log it if counts come from memory again without a new build."""
        find_child(ROLLUP_COUNTS, "memory" if from_memory else "database").inc()
        if from_memory and self._reason is not None:
            self._reason = None
            logger.info("counts come from memory")

    def note_lag(self, seconds: int) -> None:
        """Set the lag."""
        ROLLUP_LAG.set(seconds)

    def note_build(self, documents: int, seconds: float) -> None:
        """Log how many documents were counted and how long it took."""
        self._reason = None
        logger.info("counts come from memory", documents=documents, duration_ms=round(seconds * 1000, 3))

    def note_end(self, reason: str) -> None:
        """Log the reason, but not the same one twice in a row: the rollup retries again and again."""
        if reason != self._reason:
            self._reason = reason
            logger.info("counts come from the database", reason=reason)

    def note_odd(self) -> None:
        """Log the reason, as `note_end` does."""
        self.note_end("a document's date is not a whole number, or its card type is a list or not ASCII")
