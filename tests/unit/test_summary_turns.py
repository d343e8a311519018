"""A summary by REST, written while others have their turns."""

import asyncio

from database.query import TransactionFilter
from database.summary import SummaryQuestion
from gateway.summary import write_summary
from schema.summary import SummaryGroup, TransactionSummary


async def test_the_event_loop_has_its_turns_while_a_summary_is_written() -> None:
    """Of the groups of a summary, each of which may have amounts in many currencies, ten are written in a turn."""
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
