"""Find and run the programs that the checks use. It must not interpret their output."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.checks import CheckError

ROOT = Path(__file__).parents[1]
# What is unpacked or rendered for the checks; ignored by git.
WORK = ROOT / ".tools/deploy"
_LOCKED = Path(sys.executable).parent
# How to install programs that the checks' own lock does not provide.
_MAKERS = dict.fromkeys(("python", "gateway", "npm"), "`make test` makes .venv, which holds it")


def get_program(name: str) -> Path:
    """Return the path of a locked package's program.

    Raises:
        CheckError: it is not installed.
    """
    path = _LOCKED / name
    if not path.exists():
        raise CheckError(f"{name} is missing: `make check-deploy` installs it from requirements/deploy.txt")
    return path


def run_program(
    *command: str | Path, variables: dict[str, str] | None = None, folder: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and return the result, even if it failed.

    Raises:
        CheckError: there is no such program.
    """
    # A checker may start helpers by name: locked ones come first.
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
    """Run a program that must succeed, and return what it printed.

    Raises:
        CheckError: there is no such program, or its exit code is not 0; the message holds its output.
    """
    done = run_program(*command, variables=variables, folder=folder)
    if done.returncode:
        called = " ".join([Path(command[0]).name, *map(str, command[1:])])
        raise CheckError(f"{called}\n{done.stdout}{done.stderr}".rstrip())
    return done.stdout


def find_installed(name: str) -> Path | None:
    """Return the path of a system program, or None if it is not installed."""
    found = shutil.which(name)
    return Path(found) if found else None
