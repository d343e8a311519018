"""What the start-up benchmark reads from a requirements file and from Python's import timing."""

from collections import Counter

from benchmarks.startup import find_installed, sum_import_times

LOG = """\
import time: self [us] | cumulative | imported package
import time:       100 |        100 |   one._part
import time:        30 |         30 |     two
import time:        20 |        150 | one
a warning that an import wrote: 7
"""


def test_each_package_has_its_own_time() -> None:
    """A package's time is that of its modules, without what they import from other packages."""
    assert sum_import_times(LOG) == Counter(one=120, two=30)


def test_what_is_installed_is_measured() -> None:
    """A package that is not installed here, such as one for another system, is not counted."""
    lock = (
        "click==8.5.1 \\\n    --hash=sha256:00\n    # via uvicorn\nno-such-package==1.0 ; sys_platform == 'none' \\\n"
    )
    sizes = find_installed(lock)
    assert list(sizes) == ["click"]
    assert sizes["click"] > 100_000
