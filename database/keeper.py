"""Keeps the embedded mongod running: one that ends before it is stopped is started again.

Nothing here connects to it.
"""

import logging
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from database.errors import EmbeddedServerError
from database.folder import stop_left_over

_LOOK_SECONDS = 0.2
# A mongod that cannot start, for a full disk say, must not be started in a hot loop.
_PAUSE_SECONDS = 5.0

logger = logging.getLogger(__name__)


@contextmanager
def kept_running(
    process: subprocess.Popen[bytes], run: Callable[[], AbstractContextManager[subprocess.Popen[bytes]]], folder: Path
) -> Iterator[None]:
    """Within it, when the process ends another is run, and when that ends the next; the log tells of each.

    Args:
        process: the guard of a mongod that listens; whoever ran it stops it.
        run: runs another one, and stops it at the end.
        folder: the data's.
    """
    stopping = threading.Event()
    # Should the process end without a stop, the guard ends mongod: nothing is left that this thread must do.
    keeper = threading.Thread(target=_keep, args=(process, run, folder, stopping), name="mongod-keeper", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stopping.set()
        keeper.join()


def _keep(
    process: subprocess.Popen[bytes],
    run: Callable[[], AbstractContextManager[subprocess.Popen[bytes]]],
    folder: Path,
    stopping: threading.Event,
) -> None:
    _await_end(process, stopping)
    while not stopping.is_set():
        try:
            # Where the guard was killed and not mongod.
            stop_left_over(folder)
            with run() as again:
                logger.warning("the embedded MongoDB runs again")
                _await_end(again, stopping)
        except (EmbeddedServerError, OSError) as error:
            logger.error("%s Next try in %.0f s.", error, _PAUSE_SECONDS)  # noqa: TRY400 - its text says all
            stopping.wait(_PAUSE_SECONDS)


def _await_end(process: subprocess.Popen[bytes], stopping: threading.Event) -> None:
    while process.poll() is None:
        if stopping.wait(_LOOK_SECONDS):
            return
    logger.error("the embedded MongoDB ended (exit code %s); starting it again", process.returncode)
