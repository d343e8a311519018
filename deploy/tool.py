"""The programs that check: where they are, and what they say. It must not judge what they said."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.checks import CheckError

ROOT = Path(__file__).parents[1]
# What is unpacked or rendered for the checks; git does not see it.
WORK = ROOT / ".tools/deploy"
_LOCKED = Path(sys.executable).parent


def get_program(name: str) -> Path:
    """Give the program of a locked package.

    Raises:
        CheckError: it is not there.
    """
    path = _LOCKED / name
    if not path.exists():
        raise CheckError(f"{name} is missing: `make check-deploy` installs it from requirements/deploy.txt")
    return path


def run_program(
    *command: str | Path, variables: dict[str, str] | None = None, folder: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, whatever it says."""
    # A checker may start its helpers by name: those of the lock come first.
    path = os.pathsep.join([str(_LOCKED), str(WORK / "bin"), os.environ.get("PATH", "")])
    return subprocess.run(  # noqa: S603 - the project's own commands
        command,
        cwd=folder,
        env={**os.environ, "PATH": path, **(variables or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def require(*command: str | Path, variables: dict[str, str] | None = None, folder: Path = ROOT) -> str:
    """Run a program that must find no fault, and give what it printed.

    Raises:
        CheckError: it ended with another exit code than 0; the message is what it said.
    """
    done = run_program(*command, variables=variables, folder=folder)
    if done.returncode:
        called = " ".join([Path(command[0]).name, *map(str, command[1:])])
        raise CheckError(f"{called}\n{done.stdout}{done.stderr}".rstrip())
    return done.stdout


def find_installed(name: str) -> Path | None:
    """Where a program of the system is, if it is installed."""
    found = shutil.which(name)
    return Path(found) if found else None
