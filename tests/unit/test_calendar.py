"""Where calendar units begin, compared with a walk over every quarter of an hour."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from database.group_key import GroupKey
from schema.calendar import find_start, list_starts

STEP = timedelta(minutes=15)
KEYS = [GroupKey.HOUR, GroupKey.DAY, GroupKey.WEEK, GroupKey.MONTH]
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/St_Johns"]
# Midnights that do not exist or occur twice; a day that does not exist; moves across the date line.
ZONES += ["America/Sao_Paulo", "America/Havana", "Asia/Beirut", "Pacific/Apia", "Africa/Casablanca", "Asia/Kathmandu"]

instants = st.integers(0, 26 * 365 * 96).map(lambda quarter: datetime(2000, 1, 1, tzinfo=UTC) + STEP * quarter)


def name(key: GroupKey, instant: datetime, zone: ZoneInfo) -> Any:
    """Return the bucket that an instant is in, by local time."""
    local = instant.astimezone(zone)
    return {
        GroupKey.HOUR: (local.date(), local.hour, local.utcoffset()),
        GroupKey.DAY: local.date(),
        GroupKey.WEEK: local.isocalendar()[:2],
        GroupKey.MONTH: (local.year, local.month),
    }[key]


@settings(max_examples=300, deadline=None)
@given(key=st.sampled_from(KEYS), instant=instants, zone=st.sampled_from(ZONES).map(ZoneInfo))
def test_a_bucket_begins_where_a_step_back_leads_into_another(key: GroupKey, instant: datetime, zone: ZoneInfo) -> None:
    """The start of a bucket lies in it, and not after any instant of it."""
    start = find_start(key, instant, zone)
    assert start <= instant
    assert name(key, start, zone) == name(key, instant, zone)
    assert name(key, start - timedelta(seconds=1), zone) != name(key, start, zone)


@settings(max_examples=150, deadline=None)
@given(
    keys=st.permutations(KEYS).flatmap(lambda keys: st.sampled_from([tuple(keys[:1]), tuple(keys[:2])])),
    first=instants,
    quarters=st.integers(0, 40 * 96),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
)
def test_all_buckets_of_a_window_are_listed_once_in_order(
    keys: tuple[GroupKey, ...], first: datetime, quarters: int, zone: ZoneInfo
) -> None:
    """A walk through the window meets exactly the listed buckets, in that order."""
    last = first + STEP * quarters
    met = {tuple(name(key, first + STEP * step, zone) for key in keys): None for step in range(quarters + 1)}
    listed = list(list_starts(keys, first, last, zone))
    assert len(set(listed)) == len(listed)
    assert [tuple(name(key, start, zone) for key, start in zip(keys, each, strict=True)) for each in listed] == list(
        met
    )


@pytest.mark.parametrize(
    ("zone", "instant", "key", "start"),
    [
        # 02:00 occurs twice.
        ("Europe/Berlin", "2026-10-25T00:30:00+00:00", GroupKey.HOUR, "2026-10-25T02:00:00+02:00"),
        ("Europe/Berlin", "2026-10-25T01:30:00+00:00", GroupKey.HOUR, "2026-10-25T02:00:00+01:00"),
        # Half of the hour from 01:00 occurs twice.
        ("Australia/Lord_Howe", "2026-04-04T14:59:00+00:00", GroupKey.HOUR, "2026-04-05T01:00:00+11:00"),
        ("Australia/Lord_Howe", "2026-04-04T15:00:00+00:00", GroupKey.HOUR, "2026-04-05T01:30:00+10:30"),
        # Midnight does not exist.
        ("America/Sao_Paulo", "2018-11-04T12:00:00+00:00", GroupKey.DAY, "2018-11-04T01:00:00-02:00"),
        ("Asia/Kolkata", "2026-01-31T18:30:00+00:00", GroupKey.MONTH, "2026-02-01T00:00:00+05:30"),
        ("America/New_York", "2026-03-08T12:00:00+00:00", GroupKey.WEEK, "2026-03-02T00:00:00-05:00"),
    ],
)
def test_starts_around_changes_of_clocks(zone: str, instant: str, key: GroupKey, start: str) -> None:
    """An hour that occurs twice is two buckets, and a bucket that begins within a gap begins at its end."""
    found = find_start(key, datetime.fromisoformat(instant), ZoneInfo(zone))
    assert found.astimezone(ZoneInfo(zone)).isoformat() == start
