"""Keep the embedded mongod running: restart it if it ends before it is stopped.

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

_CHECK_SECONDS = 0.2
# A mongod that cannot start, for example on a full disk, must not be restarted in a hot loop.
_PAUSE_SECONDS = 5.0

logger = logging.getLogger(__name__)


@contextmanager
def kept_running(
    process: subprocess.Popen[bytes], run: Callable[[], AbstractContextManager[subprocess.Popen[bytes]]], folder: Path
) -> Iterator[None]:
    """Restart mongod whenever it ends within the block, and log each restart.

    Args:
        process: the guard of the mongod that listens now; its caller stops it.
        run: starts another guarded mongod, and stops it at the end.
        folder: the embedded server's folder.
    """
    stopping = threading.Event()
    # A daemon thread: if this process ends without a stop, the guard ends mongod and the thread has nothing to do.
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
            # The guard may have been killed while mongod still runs.
            stop_left_over(folder)
            with run() as again:
                logger.warning("the embedded MongoDB runs again")
                _await_end(again, stopping)
        except (EmbeddedServerError, OSError) as error:
            logger.error("%s Next try in %.0f s.", error, _PAUSE_SECONDS)  # noqa: TRY400 - the message says everything
            stopping.wait(_PAUSE_SECONDS)


def _await_end(process: subprocess.Popen[bytes], stopping: threading.Event) -> None:
    while process.poll() is None:
        if stopping.wait(_CHECK_SECONDS):
            return
    logger.error("the embedded MongoDB ended (exit code %s); starting it again", process.returncode)
