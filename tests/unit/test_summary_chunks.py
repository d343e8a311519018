"""A summary in REST is written without holding up the event loop."""

from database.query import TransactionFilter
from database.summary import SummaryRequest
from gateway.summary import write_summary
from schema.summary import SummaryGroup, TransactionSummary
from tests.iterations import count_iterations


async def test_the_event_loop_runs_while_a_summary_is_written() -> None:
    """The groups of a summary, each with amounts in perhaps many currencies, are written ten per chunk."""
    summary = TransactionSummary(found=[SummaryGroup(count=1, amounts=[]) for _ in range(100)], omitted=0)
    with count_iterations() as iterations:
        written = await write_summary(summary, SummaryRequest(TransactionFilter()))
    assert len(written["groups"]) == 100
    assert iterations.number == 10
