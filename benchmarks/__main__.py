"""Runs benchmarks by name: `python -m benchmarks seeding 1000000`; without a name, all of them with their defaults."""

import importlib
import sys

BENCHMARKS = ("failover", "overload", "scaling", "seeding", "speed", "startup")


def main() -> None:
    """Run the named benchmark with the arguments after its name, or all."""
    chosen = sys.argv[1:2] or BENCHMARKS
    if unknown := [name for name in chosen if name not in BENCHMARKS]:
        sys.exit(f"No benchmark is called {unknown[0]!r}; there are: {', '.join(BENCHMARKS)}.")
    for name in chosen:
        importlib.import_module(f"benchmarks.{name}").main(sys.argv[2:])


if __name__ == "__main__":
    main()
