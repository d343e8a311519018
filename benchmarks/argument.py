"""The arguments after a benchmark's name: whole numbers, each with a default."""

import argparse
from collections.abc import Sequence


def parse_numbers(name: str, arguments: Sequence[str], *, least: int = 1, **defaults: int) -> list[int]:
    """Return a benchmark's numbers in order, each at least `least`; an invalid one exits with a message."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks {name}")
    for meaning, default in defaults.items():
        parser.add_argument(meaning, nargs="?", type=int, default=default, help=f"from {least}; {default} if left out")
    numbers = list(vars(parser.parse_args(arguments)).values())
    if min(numbers) < least:
        parser.error(f"{' and '.join(defaults)} are whole numbers from {least}")
    return numbers
