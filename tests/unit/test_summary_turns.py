"""A summary in REST is written without holding up the event loop."""

import asyncio

from database.query import TransactionFilter
from database.summary import SummaryQuestion
from gateway.summary import write_summary
from schema.summary import SummaryGroup, TransactionSummary


async def test_the_event_loop_runs_while_a_summary_is_written() -> None:
    """The groups of a summary, each with amounts in perhaps many currencies, are written ten per turn."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    summary = TransactionSummary(found=[SummaryGroup(count=1, amounts=[]) for _ in range(100)], omitted=0)
    written = await write_summary(summary, SummaryQuestion(TransactionFilter()))
    counting.cancel()
    assert len(written["groups"]) == 100
    assert turns == 10
