"""Runs benchmarks by name: `python -m benchmarks seeding 1000000`; without a name, all of them with their defaults."""

import importlib
import pkgutil
import sys

import benchmarks


def main() -> None:
    """Run the named benchmark with the arguments after its name, or all."""
    names = sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__) if module.name != "__main__")
    chosen = sys.argv[1:2] or names
    if unknown := [name for name in chosen if name not in names]:
        sys.exit(f"No benchmark is called {unknown[0]!r}; there are: {', '.join(names)}.")
    for name in chosen:
        importlib.import_module(f"benchmarks.{name}").main(sys.argv[2:])


if __name__ == "__main__":
    main()
