"""Caches a file's content until the file changes. It must not interpret the content."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from database.errors import ConfigurationError

logger = logging.getLogger(__name__)

Content = TypeVar("Content")

# Long enough to cost nothing, short enough that a revoked key is rejected almost at once.
_CHECK_SECONDS = 1.0


class WatchedFile(Generic[Content]):
    """Returns a file's content, and reads it again after the file has changed."""

    def __init__(self, path: Path, load: Callable[[Path], Content]) -> None:
        """Read `path` with `load`, which raises ConfigurationError if it cannot."""
        self._path = path
        self._load = load
        self._fault = ""
        self._reload()

    def _reload(self) -> None:
        self._next_check = time.monotonic() + _CHECK_SECONDS
        # Taken before the content, so that a change between the two is seen next time.
        self._fingerprint = _find_fingerprint(self._path)
        self._content = self._try_load()

    def read(self) -> Content:
        """Return the content; check for a change of the file at most once a second.

        Raises:
            ConfigurationError: the file is broken. Its earlier content is no longer used: the change may revoke it.
        """
        if time.monotonic() >= self._next_check:
            self._next_check = time.monotonic() + _CHECK_SECONDS
            # A file that could not be read may become readable without a change.
            if self._fault or _find_fingerprint(self._path) != self._fingerprint:
                self._reload()
        if isinstance(self._content, ConfigurationError):
            raise self._content
        return self._content

    def _try_load(self) -> Content | ConfigurationError:
        try:
            content = self._load(self._path)
        except ConfigurationError as error:
            if str(error) != self._fault:
                self._fault = str(error)
                logger.error("%s", error)  # noqa: TRY400 - the message is for operators, and a traceback would add nothing
            return error
        self._fault = ""
        return content


def _find_fingerprint(path: Path) -> tuple[int, ...] | None:
    """Return a value that changes when a file is written, replaced or given other permissions; None without a file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
