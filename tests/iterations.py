"""Counts the event loop's iterations, to show that long work lets other tasks run."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Iterations:
    """How many iterations the event loop has made.

    Attributes:
        number: from 0.
    """

    number: int = 0


@contextmanager
def count_iterations() -> Iterator[Iterations]:
    """Count the iterations of the running event loop until the block ends."""
    iterations = Iterations()

    async def count() -> None:
        while True:
            iterations.number += 1
            await asyncio.sleep(0)

    counter = asyncio.create_task(count())
    try:
        yield iterations
    finally:
        counter.cancel()
