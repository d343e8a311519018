"""What this process may use of the machine: all of it, or what the limits of its container leave.

Those of Linux' cgroup v2 (docs.kernel.org/admin-guide/cgroup-v2.html), as a container sees its own.
"""

import math
import os
from pathlib import Path

_LIMITS = Path("/sys/fs/cgroup")


def count_cores(limits: Path = _LIMITS) -> int:
    """Give how many cores this process may run on, or has the time of, rounded up."""
    # A container or taskset may allow fewer than the machine has; not every system tells.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _read(limits / "cpu.max").partition(" ")
    return min(cores, math.ceil(int(quota) / int(period))) if quota.isdecimal() else cores


def measure_memory(limits: Path = _LIMITS) -> int:
    """Give how many bytes of memory this process and its children may take."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    most = _read(limits / "memory.max")
    return min(memory, int(most)) if most.isdecimal() else memory


def _read(limit: Path) -> str:
    """Give a limit; where there is none, `max` or nothing."""
    try:
        return limit.read_text("ascii").strip()
    except OSError:
        return ""
