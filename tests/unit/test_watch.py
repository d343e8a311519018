"""Watched summaries are recomputed in turns."""

import asyncio

from schema.watch import MOST_AT_ONCE, SummaryWatches


async def test_however_many_summaries_are_watched_few_are_computed_at_a_time() -> None:
    """Of many summaries that change at once, at most MOST_AT_ONCE are computed at a time."""
    running, most = 0, 0

    async def compute() -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return most

    watches = SummaryWatches()
    held = [watches.find(number) for number in range(20)]
    await asyncio.gather(*(watch.refresh(compute) for watch in held))
    assert most == MOST_AT_ONCE
