"""What may be written after a benchmark's name: whole numbers, each with a default."""

import argparse
from collections.abc import Sequence


def parse_numbers(name: str, arguments: Sequence[str], *, least: int = 1, **defaults: int) -> list[int]:
    """Give a benchmark's numbers in their order, each from `least`; what is none ends the program and is named."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks {name}")
    for meaning, default in defaults.items():
        parser.add_argument(meaning, nargs="?", type=int, default=default, help=f"from {least}; {default} if left out")
    numbers = list(vars(parser.parse_args(arguments)).values())
    if min(numbers) < least:
        parser.error(f"{' and '.join(defaults)} are whole numbers from {least}")
    return numbers
