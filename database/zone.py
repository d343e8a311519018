"""Pure: a time zone as the database is told it, by the offsets of this gateway's edition of IANA's data.

A server has an edition of its own, which may be years older: it would count the hours of a newer rule into other days.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

# Outside of these years the name alone is told: each change is one more place for the server to search.
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
# No clocks have been changed twice within it.
_STEP = timedelta(days=7)
_RESOLUTION = timedelta(seconds=1)
_MOST_ZONES_KEPT = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
# What stands for no bound at all.
_EVER = 1 << 62

# From when on, in ms since the epoch, which offset holds, as `+02:00`, or the zone's name where that must do.
_Rule = tuple[int, str]


def build_zone(name: str, since: int | None, until: int | None) -> Any:  # noqa: ANN401 - an expression of the database, which a constant is too
    """Give what `$dateToString` takes for the zone of a document's date.

    Args:
        name: IANA's name.
        since: no date is earlier, in ms since the epoch, if that is known: fewer changes are searched.
        until: no date is later, likewise.
    """
    least, most = -_EVER if since is None else since, _EVER if until is None else until
    rules = _list_rules(name)
    ends = [begin for begin, _ in rules[1:]] + [_EVER]
    return _build_search([rule for rule, end in zip(rules, ends, strict=True) if end > least and rule[0] <= most])


def _build_search(rules: Sequence[_Rule]) -> Any:  # noqa: ANN401 - as above
    """Halve the rules at each comparison."""
    if len(rules) == 1:
        return rules[0][1]
    middle = len(rules) // 2
    later, earlier = _build_search(rules[middle:]), _build_search(rules[:middle])
    return {"$cond": [{"$gte": ["$date", rules[middle][0]]}, later, earlier]}


@lru_cache(maxsize=_MOST_ZONES_KEPT)
def _list_rules(name: str) -> tuple[_Rule, ...]:
    zone = ZoneInfo(name)
    moments = [_FIRST + _STEP * step for step in range((_LAST - _FIRST) // _STEP)] + [_LAST]
    changes = [change for earlier, later in pairwise(moments) if (change := find_change(earlier, later, zone))]
    rules = [(_to_ms(moment), _write_offset(moment, zone, name)) for moment in (_FIRST, *changes)]
    return ((-_EVER, name), *rules, (_to_ms(_LAST), name))


def find_change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime | None:
    """Give when a zone's offset changed between two instants, the later included; None where both have the same."""
    if _get_offset(before, zone) == (offset := _get_offset(after, zone)):
        return None
    while after - before > _RESOLUTION:
        middle = before + (after - before) // 2
        before, after = (before, middle) if _get_offset(middle, zone) == offset else (middle, after)
    return after.replace(microsecond=0)


def _write_offset(moment: datetime, zone: ZoneInfo, name: str) -> str:
    """Give an offset as the server reads it, which knows none with seconds."""
    minutes, seconds = divmod(round(_get_offset(moment, zone).total_seconds()), 60)
    if seconds:
        return name
    hours, minutes = divmod(abs(minutes), 60)
    return f"{'-' if _get_offset(moment, zone) < timedelta(0) else '+'}{hours:02}:{minutes:02}"


def _get_offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)


def _to_ms(moment: datetime) -> int:
    return (moment - _EPOCH) // _MS
