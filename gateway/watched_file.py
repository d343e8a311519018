"""A file whose content is used as long as it stays the same. What the content means is not known here."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from database.errors import ConfigurationError

logger = logging.getLogger(__name__)

Content = TypeVar("Content")

# Long enough to cost nothing, short enough that a revoked key is refused while its revoker still looks.
_LOOK_SECONDS = 1.0


class WatchedFile(Generic[Content]):
    """Gives a file's content, and reads it again when the file has changed."""

    def __init__(self, path: Path, load: Callable[[Path], Content]) -> None:
        """Read `path` by `load`, which raises ConfigurationError where that cannot be done."""
        self._path = path
        self._load = load
        self._fault = ""
        self._look()

    def _look(self) -> None:
        self._next_look = time.monotonic() + _LOOK_SECONDS
        # Taken before the content, so that a change between the two is seen next time.
        self._mark = _find_mark(self._path)
        self._content = self._try_load()

    def read(self) -> Content:
        """Give the content; whether the file has changed is looked at once a second at most.

        Raises:
            ConfigurationError: the file is broken. What it held before counts no longer: that may be why it changed.
        """
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + _LOOK_SECONDS
            # What cannot be read may be readable a moment later without having changed.
            if self._fault or _find_mark(self._path) != self._mark:
                self._look()
        if isinstance(self._content, ConfigurationError):
            raise self._content
        return self._content

    def _try_load(self) -> Content | ConfigurationError:
        try:
            content = self._load(self._path)
        except ConfigurationError as error:
            if str(error) != self._fault:
                self._fault = str(error)
                logger.error("%s", error)  # noqa: TRY400 - the message is for operators, and is all there is to say
            return error
        self._fault = ""
        return content


def _find_mark(path: Path) -> tuple[int, ...] | None:
    """What differs whenever the file was written or replaced, or may be read by others; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
