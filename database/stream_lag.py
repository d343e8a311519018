"""Report a change stream's lag behind its server to an observer. It reads nothing itself."""

import time
from collections.abc import Callable


class StreamLag:
    """The lag of one stream; while the stream cannot be read, it grows by one second per second."""

    def __init__(self, note_lag: Callable[[int], None]) -> None:
        """Start without a lag; `note_lag` receives whole seconds."""
        self._note_lag = note_lag
        self._seconds = 0
        self._read_at = time.monotonic()

    def note_reading(self, seconds: int) -> None:
        """Report the lag found by a read."""
        self._seconds = seconds
        self._read_at = time.monotonic()
        self._note_lag(seconds)

    def note_failure(self) -> None:
        """Report the last known lag plus the time since, after a failed read."""
        self._note_lag(self._seconds + int(time.monotonic() - self._read_at))

    def note_end(self) -> None:
        """Report a lag of 0: the stream has ended."""
        self._note_lag(0)
