"""Runs benchmarks by name: `python -m benchmarks seeding 1000000`; without a name, those that take minutes."""

import importlib
import sys

BENCHMARKS = ("speed", "startup", "overload", "failover", "live", "seeding", "summary", "export", "pages", "coldstart")
# Ten million documents take half an hour and 10 GB of disk.
LONG_BENCHMARKS = ("scaling",)


def main() -> None:
    """Run the named benchmark with the arguments after its name, or all that are not long."""
    chosen = sys.argv[1:2] or BENCHMARKS
    known = sorted({*BENCHMARKS, *LONG_BENCHMARKS})
    if unknown := [name for name in chosen if name not in known]:
        sys.exit(f"No benchmark is called {unknown[0]!r}; there are: {', '.join(known)}.")
    for name in chosen:
        importlib.import_module(f"benchmarks.{name}").main(sys.argv[2:])


if __name__ == "__main__":
    main()
