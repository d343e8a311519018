"""The database gets a time zone as the UTC offsets that Python knows."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given
from hypothesis import strategies as st

from database.zone import build_zone

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_END_MS = int(datetime(2040, 1, 1, tzinfo=UTC).timestamp() * 1000)
zones = st.sampled_from(sorted(available_timezones()))
dates = st.integers(0, _END_MS - 1)


def evaluate(zone: Any, date: int) -> str:
    """Return what the database makes of the expression for a date."""
    while isinstance(zone, dict):
        condition, then, otherwise = zone["$cond"]
        assert condition["$gte"][0] == "$date"
        zone = then if date >= condition["$gte"][1] else otherwise
    return str(zone)


def find_offset(name: str, date: int) -> str:
    """Return Python's offset in the form that the database reads."""
    local = (_EPOCH + timedelta(milliseconds=date)).astimezone(ZoneInfo(name))
    text = local.isoformat()[len("2026-11-20T15:20:00.000000") if local.microsecond else len("2026-11-20T15:20:00") :]
    return text if len(text) == len("+02:00") else name


@given(name=zones, date=dates)
def test_an_offset_is_pythons(name: str, date: int) -> None:
    """From 1970 to 2039 each instant of each zone has Python's offset, or the zone's name if the offset has seconds."""
    assert evaluate(build_zone(name, None, None), date) == find_offset(name, date)


@given(name=zones, since=dates, days=st.integers(0, 36_500), place=st.floats(0, 1))
def test_a_window_knows_its_own_changes(name: str, since: int, days: int, place: float) -> None:
    """Within a window, both ends included, the offsets are the same as without one."""
    until = since + days * 86_400_000
    zone = build_zone(name, since, until)
    for date in (since, round(since + place * (until - since)), until):
        assert evaluate(zone, date) == evaluate(build_zone(name, None, None), date)


@given(name=zones, date=st.one_of(st.integers(max_value=-1), st.integers(min_value=_END_MS)))
def test_old_and_far_dates_are_left_to_the_database(name: str, date: int) -> None:
    """Before 1970 and from 2040 on, the database gets the zone's name."""
    assert evaluate(build_zone(name, None, None), date) == name


def test_a_window_without_a_change_is_a_constant() -> None:
    """A window without an offset change needs no conditions."""
    june = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp() * 1000)
    assert build_zone("Europe/Berlin", june, june + 7 * 86_400_000) == "+02:00"
