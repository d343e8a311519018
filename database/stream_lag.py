"""How far a change stream is behind its server, as whoever watches it is told. It reads nothing itself."""

import time
from collections.abc import Callable


class StreamLag:
    """The lag of one stream; while the stream cannot be read, it grows by a second a second."""

    def __init__(self, note_lag: Callable[[int], None]) -> None:
        """Be level with the server; `note_lag` is told whole seconds."""
        self._note_lag = note_lag
        self._seconds = 0
        self._read_at = time.monotonic()

    def note_reading(self, seconds: int) -> None:
        """The stream was read, and was this far behind."""
        self._seconds = seconds
        self._read_at = time.monotonic()
        self._note_lag(seconds)

    def note_failure(self) -> None:
        """The stream could not be read."""
        self._note_lag(self._seconds + int(time.monotonic() - self._read_at))

    def note_end(self) -> None:
        """There is no stream any more, and so nothing that is behind."""
        self._note_lag(0)
