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
# Who installs what no package of the checks' own lock holds.
_MAKERS = dict.fromkeys(("python", "gateway", "npm"), "`make test` makes .venv, which holds it")


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
    """Run a program to its end, whatever it says.

    Raises:
        CheckError: there is no such program.
    """
    # A checker may start its helpers by name: those of the lock come first.
    path = os.pathsep.join([str(_LOCKED), str(WORK / "bin"), os.environ.get("PATH", "")])
    try:
        return subprocess.run(  # noqa: S603 - the project's own commands
            command,
            cwd=folder,
            env={**os.environ, "PATH": path, **(variables or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise CheckError(f"{command[0]} is missing: {_MAKERS.get(Path(command[0]).name, 'install it')}") from error


def require(*command: str | Path, variables: dict[str, str] | None = None, folder: Path = ROOT) -> str:
    """Run a program that must find no fault, and give what it printed.

    Raises:
        CheckError: there is no such program, or it ended with another exit code than 0; the message is what it said.
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
