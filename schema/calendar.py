"""Find where the hours, days, ISO weeks and months of a time zone begin, across clock changes. Pure.

Instants are in UTC throughout: Python compares two datetimes of the same zone by wall-clock time alone.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from database.group_key import GroupKey
from database.zone import find_change

Starts: TypeAlias = tuple[datetime, ...]

_HOUR, _DAY, _MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
# Finest first: the finer of two units steps through the buckets of both.
_UNITS = (GroupKey.HOUR, GroupKey.DAY, GroupKey.WEEK, GroupKey.MONTH)


def find_start(key: GroupKey, instant: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant of the bucket that holds an instant.

    An hour begins on the clock's hour, or at a clock change within it; an hour that occurs twice is two buckets.
    """
    if key is GroupKey.HOUR:
        local = instant.astimezone(zone)
        past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return find_change(instant - past, instant, zone) or instant - past
    return _find_midnight(_find_first_day(key, instant.astimezone(zone).date()), zone)


def read_start(key: GroupKey, label: str, instant: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant of the bucket that the database labelled `label` and put `instant` into.

    The database's grouping is kept even where it differs from Python's: where database/zone.py passes only the zone's
    name, the database uses its own time zone data, which may be older.
    """
    if key is GroupKey.HOUR:
        local, hour = instant.astimezone(zone), datetime.fromisoformat(label).astimezone(UTC)
        past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        # Labels leave out the seconds of an offset, which local mean times have.
        return find_start(key, instant, zone) if abs(instant - past - hour) < _MINUTE else hour
    return _find_midnight(date.fromisoformat(f"{label}-01" if key is GroupKey.MONTH else label), zone)


def list_starts(keys: tuple[GroupKey, ...], first: datetime, last: datetime, zone: ZoneInfo) -> Iterator[Starts]:
    """Yield in order, for each bucket that holds an instant from `first` to `last`, its start in each unit."""
    finest = min(keys, key=_UNITS.index)
    seen = None
    for moment in _list_hours(first, last, zone) if finest is GroupKey.HOUR else _list_days(first, last, zone):
        starts = tuple(find_start(key, moment, zone) for key in keys)
        if starts != seen:
            yield starts
        seen = starts


def _list_hours(first: datetime, last: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    hour = find_start(GroupKey.HOUR, first, zone)
    while hour <= last:
        yield hour
        local = hour.astimezone(zone)
        after = hour + _HOUR - timedelta(minutes=local.minute, seconds=local.second)
        hour = find_change(hour, after, zone) or after


def _list_days(first: datetime, last: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the start of each day, except a day that the zone skipped by moving across the date line."""
    day, end = first.astimezone(zone).date(), last.astimezone(zone).date()
    while day <= end:
        start = _find_midnight(day, zone)
        if start.astimezone(zone).date() == day:
            yield start
        day += _DAY


def _find_first_day(key: GroupKey, day: date) -> date:
    if key is GroupKey.MONTH:
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if key is GroupKey.WEEK else day


def _find_midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a date; if its midnight is skipped, that is the instant of the clock change."""
    midnight = datetime.combine(day, time(), zone).astimezone(UTC)
    if midnight.astimezone(zone).time() == time():
        return midnight
    return find_change(midnight - _HOUR, midnight, zone) or midnight
