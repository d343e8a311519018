"""The workers' shared private temporary folder: memory-mapped metrics by worker's place, and clients' documents.

It must not declare metrics, and must import prometheus_client only in the workers. A worker that replaces another
inherits its place and continues its counts, so that totals never fall and the folder does not grow.
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
# The size of each file; with all paths, codes and commands, the largest is about half full.
_RESERVED_BYTES = 1 << 18


@contextmanager
def open_worker_folder() -> Iterator[Path]:
    """Create the folder, and remove it at the end; first remove the folders that killed gateways left behind.

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
    # The lock ends with its process, however that ends, and so shows reliably whether the folder is in use.
    with (folder / f"{_LOCK}.new").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Renamed once it is locked: a gateway that starts at the same time never finds it unlocked under its name.
        Path(lock.name).rename(folder / _LOCK)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_if_left(folder: Path) -> None:
    # Suppressed: another user's folder, one in use, and one without a lock, which is still being created.
    with contextlib.suppress(OSError), (folder / _LOCK).open("rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)


def enter_worker_folder(folder: Path, place: int) -> None:
    """Share the folder, and keep metrics in it; call this before importing gateway/metrics.py, which declares them.

    Args:
        folder: the folder that the parent created.
        place: the worker's number, which no other running worker has.
    """
    os.environ[_VARIABLE] = str(folder)
    from prometheus_client import multiprocess, values  # noqa: PLC0415 - it reads the variable on import

    values.ValueClass = values.MultiProcessValue(lambda: place)  # type: ignore[no-untyped-call]  # the library has no annotations
    # Removes the live gauges of the worker that had this place before; its counts stay.
    multiprocess.mark_process_dead(place)  # type: ignore[no-untyped-call]  # as above
    for kind in _KINDS:
        _reserve_space(folder / f"{kind}_{place}.db")


def _reserve_space(file: Path) -> None:
    """Allocate the whole file on disk: a process that writes to a mapped page without disk space is killed (SIGBUS)."""
    with file.open("ab") as end:
        end.write(bytes(max(0, _RESERVED_BYTES - end.tell())))


def find_worker_folder() -> Path | None:
    """Return the folder that this process shares with other workers, or None if there are none."""
    folder = os.environ.get(_VARIABLE)
    return Path(folder) if folder else None
