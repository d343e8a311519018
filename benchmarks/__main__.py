"""Run a benchmark by name: `python -m benchmarks seeding 1000000`; without a name, run all that take only minutes."""

import argparse
import importlib
import signal
import sys

BENCHMARKS = ("speed", "startup", "overload", "failover", "live", "seeding", "summary", "export", "pages", "coldstart")
# Ten million documents take half an hour and 10 GB of disk.
LONG_BENCHMARKS = ("scaling",)


def main() -> None:
    """Run the named benchmark with the arguments after its name, or all but the long ones."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", choices=sorted({*BENCHMARKS, *LONG_BENCHMARKS}))
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="of the benchmark")
    chosen = parser.parse_args()
    # Exit through an exception, as Ctrl-C does, so that every program that was started is stopped.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)
    for name in [chosen.name] if chosen.name else BENCHMARKS:
        importlib.import_module(f"benchmarks.{name}").main(chosen.arguments)


def _end(number: int, _frame: object) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
