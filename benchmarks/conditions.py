"""The conditions of a measurement: the machine, the programs and their versions."""

import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.node import PACKAGES, Node

_PYTHON_PACKAGES = ("eve", "fastapi", "flask", "gunicorn", "pymongo", "strawberry-graphql", "uvicorn", "uvloop")


def describe_machine() -> dict[str, str]:
    """Return the date, the processor, the system, and the versions of Python and of the compared packages."""
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "processor": f"{_find_processor()}, {os.cpu_count()} cores, which mongod, the programs and the load share",
        "system": f"{_find_system()}, {platform.machine()}",
        "Python": f"{platform.python_version()}; {_list_versions(_PYTHON_PACKAGES)}",
    }


def describe_node(node: Node) -> str:
    """Return the versions of Node and of the packages of its peers."""
    packages = json.loads((PACKAGES / "package.json").read_text())["dependencies"]
    return f"{node.version}; {', '.join(f'{name} {number}' for name, number in packages.items())}"


def _list_versions(names: Sequence[str]) -> str:
    return ", ".join(f"{name} {version(name)}" for name in names)


def _find_processor() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def _find_system() -> str:
    try:
        return f"{platform.freedesktop_os_release()['PRETTY_NAME']}, {platform.system()} {platform.release()}"
    except OSError:
        return platform.platform()
