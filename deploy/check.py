"""Run the checks of a deployment that need no cloud account: `python -m deploy.check [tool …]`.

Each module in deploy/checks covers one tool; all of them run, even after one has failed.
"""

import importlib
import pkgutil
import sys
import time

from deploy import checks
from deploy.checks import CheckError


def find_names() -> list[str]:
    """Return the name of every check."""
    return [module.name for module in pkgutil.iter_modules(checks.__path__)]


def main(chosen: list[str]) -> int:
    """Run the chosen checks, or all, and print how many passed; return 1 if any failed, 2 for an unknown name."""
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
