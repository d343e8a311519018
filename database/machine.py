"""The cores and memory that this process may use: the machine's, or its container's limits.

It reads Linux cgroup v2 limits (docs.kernel.org/admin-guide/cgroup-v2.html) where a container sees its own.
"""

import math
import os
from pathlib import Path

_LIMITS = Path("/sys/fs/cgroup")


def count_cores(limits: Path = _LIMITS) -> int:
    """Return how many cores this process may use: its CPU affinity or its CPU quota, rounded up, if that is less."""
    # A container or taskset may allow fewer cores than the machine has; not every system reports that.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _read(limits / "cpu.max").partition(" ")
    return min(cores, math.ceil(int(quota) / int(period))) if quota.isdecimal() else cores


def measure_memory(limits: Path = _LIMITS) -> int:
    """Return how many bytes of memory this process and its children may use."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    most = _read(limits / "memory.max")
    return min(memory, int(most)) if most.isdecimal() else memory


def _read(limit: Path) -> str:
    """Return the text of a limit; `max` or empty if there is none."""
    try:
        return limit.read_text("ascii").strip()
    except OSError:
        return ""
