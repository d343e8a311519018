"""Runs what can be checked of a deployment without an account: `python -m deploy.check [tool …]`.

Each module of deploy/checks is one tool's; all of them run, and a fault of one does not hide those of another.
"""

import importlib
import pkgutil
import sys
import time

from deploy import checks
from deploy.checks import CheckError


def find_names() -> list[str]:
    """Give the name of every check."""
    return [module.name for module in pkgutil.iter_modules(checks.__path__)]


def main(chosen: list[str]) -> int:
    """Run the chosen checks, all where none is chosen, and print how many passed; exit code 1 for a fault."""
    names = find_names()
    if unknown := sorted(set(chosen) - set(names)):
        sys.stderr.write(f"{', '.join(unknown)}: not a check; the checks are {', '.join(names)}\n")
        return 2
    failed = total = 0
    began = time.monotonic()
    for name in chosen or names:
        started = time.monotonic()
        try:
            count: int = importlib.import_module(f"{checks.__name__}.{name}").run()
        except CheckError as error:
            failed += 1
            sys.stdout.write(f"{name:<22} FAILED\n{error}\n")
        else:
            total += count
            sys.stdout.write(f"{name:<22} {count:>5} passed {time.monotonic() - started:>6.1f} s\n")
        sys.stdout.flush()
    sys.stdout.write(f"{'all':<22} {total:>5} passed {time.monotonic() - began:>6.1f} s, {failed} tools found faults\n")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
