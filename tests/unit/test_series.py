"""Database groups become a summary, whatever version of the time zone rules the database has."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from database.group_key import GroupKey
from database.query import TransactionFilter
from database.row import Row
from database.summary import SummaryRequest
from schema.series import build_summary

# Kazakhstan has been at +05:00 since March 2024, and was at +06:00 before.
ZONE = "Asia/Almaty"


def _build_row(key: GroupKey, label: str, first: datetime, count: int) -> Row:
    amounts = {"currency": "KZT", "count": count, "sum": Decimal(count), "min": Decimal(1), "max": Decimal(1)}
    at = int(first.timestamp() * 1000)
    return {"_id": {key.value: label}, "at": at, "count": count, "sum": Decimal(count), "amounts": [amounts]}


@pytest.mark.parametrize(
    ("key", "before", "after"),
    [
        (GroupKey.MONTH, "2026-01", "2026-02"),
        (GroupKey.WEEK, "2026-W04", "2026-W05"),
        (GroupKey.DAY, "2026-01-31", "2026-02-01"),
        (GroupKey.HOUR, "2026-01-31T23:00:00+0600", "2026-02-01T00:00:00+0600"),
    ],
)
async def test_groups_of_a_database_with_older_time_zones_are_all_told(key: GroupKey, before: str, after: str) -> None:
    """No group is lost if the database, with older zone rules, begins a bucket an hour before Python does."""
    rows = [
        _build_row(key, before, datetime(2026, 1, 31, 17, 30, tzinfo=UTC), 3),
        _build_row(key, after, datetime(2026, 1, 31, 18, 30, tzinfo=UTC), 4),
    ]
    request = SummaryRequest(TransactionFilter(), keys=(key,), time_zone=ZONE)

    summary = await build_summary(request, rows)

    assert [group.count for group in summary.found] == [3, 4]
    assert len({getattr(group, key.value) for group in summary.found}) == len(rows)


@pytest.mark.parametrize(("key", "days"), [(GroupKey.HOUR, 400), (GroupKey.DAY, 9_000)])
async def test_others_have_their_turn_while_gaps_are_filled(key: GroupKey, days: int) -> None:
    """The event loop runs for every hundred gaps while they are listed, and again while they are written."""
    until = int(datetime(2026, 2, 1, tzinfo=UTC).timestamp() * 1000)
    window = TransactionFilter(since=until - days * 86_400_000, until=until)
    request = SummaryRequest(window, keys=(key,), time_zone=ZONE)
    filling = asyncio.create_task(build_summary(request, []))
    iterations = 0
    while not filling.done():
        iterations += 1
        await asyncio.sleep(0)
    assert iterations >= 2 * len((await filling).found) // 100
