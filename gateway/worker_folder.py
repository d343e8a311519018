"""What the workers share: a private temporary folder of memory-mapped counts, one set for each worker's place.

The documents that clients have sent are in it too (gateway/documents.py). It must not declare metrics, and imports
prometheus_client only in the workers. A worker that replaces another takes its place and goes on with its counts, so
that totals never fall and the folder does not grow.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from database.errors import ConfigurationError

_PREFIX = "gateway-workers-"
_LOCK = "lock"
# prometheus_client's own names: of the folder, and of a worker's files in it, one for each kind of metric.
_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_KINDS = ("counter", "histogram", "gauge_livesum", "gauge_livemax", "gauge_max")
# Of each file; all paths, codes and commands take about half of the largest.
_ROOM_BYTES = 1 << 18


@contextmanager
def open_worker_folder() -> Iterator[Path]:
    """Make the folder, and remove it at the end; what gateways that were killed left behind is removed first.

    Raises:
        ConfigurationError: there is no folder for temporary files.
    """
    try:
        root = Path(tempfile.gettempdir())
    except FileNotFoundError:
        message = "no folder for temporary files can be written to; mount one at /tmp or give TMPDIR"
        raise ConfigurationError(message) from None
    for left in root.glob(f"{_PREFIX}*"):
        _remove_if_left(left)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=root))
    # The lock ends with the process that holds it, however that ends: whether a folder is in use needs no guess.
    with (folder / f"{_LOCK}.new").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Under its name it is held from its first moment on: a gateway that starts at the same time removes no folder.
        Path(lock.name).rename(folder / _LOCK)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_if_left(folder: Path) -> None:
    # Another's folder may not be opened, and a folder without a lock is only being made.
    with contextlib.suppress(OSError), (folder / _LOCK).open("rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)


def enter_worker_folder(folder: Path, place: int) -> None:
    """Share the folder, and keep counts in it; before gateway/metrics.py is imported, which declares them.

    Args:
        folder: the parent's.
        place: the worker's number, which no other running worker has.
    """
    os.environ[_VARIABLE] = str(folder)
    from prometheus_client import multiprocess, values  # noqa: PLC0415 - it looks for the folder when it is imported

    values.ValueClass = values.MultiProcessValue(lambda: place)  # type: ignore[no-untyped-call]  # the library has no annotations
    # What was in flight in the worker that had this place ended with it; what it counted stays.
    multiprocess.mark_process_dead(place)  # type: ignore[no-untyped-call]  # as above
    for kind in _KINDS:
        _take_room(folder / f"{kind}_{place}.db")


def _take_room(file: Path) -> None:
    """Have all of a file on the disk: whoever writes to what was mapped and finds no room there is killed (SIGBUS)."""
    with file.open("ab") as end:
        end.write(bytes(max(0, _ROOM_BYTES - end.tell())))


def find_worker_folder() -> Path | None:
    """What this process shares with other workers, or None where there are none."""
    folder = os.environ.get(_VARIABLE)
    return Path(folder) if folder else None
