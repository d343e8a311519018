"""Pure: build the server's expression for a time zone, from the offsets in the gateway's own IANA data.

The server's IANA data may be years older, and would assign hours to other days after a later change of the rules.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

# Outside these years the zone's name is used: each change of offset adds a branch to the server's search.
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
# No zone has changed its offset twice within this time.
_STEP = timedelta(days=7)
_RESOLUTION = timedelta(seconds=1)
_MOST_ZONES_KEPT = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
# Stands for "no bound".
_EVER = 1 << 62

# The start in ms since the epoch, UTC, and the offset from then on, such as `+02:00`, or else the zone's name.
_Rule = tuple[int, str]


def build_zone(name: str, since: int | None, until: int | None) -> Any:  # noqa: ANN401 - an expression or a constant
    """Build the `timezone` argument of `$dateToString` for a document's date.

    Args:
        name: the IANA name.
        since: the earliest possible date in ms since the epoch, UTC, if known; it shortens the search.
        until: the latest possible date, likewise.
    """
    least, most = -_EVER if since is None else since, _EVER if until is None else until
    rules = _list_rules(name)
    ends = [begin for begin, _ in rules[1:]] + [_EVER]
    return _build_search([rule for rule, end in zip(rules, ends, strict=True) if end > least and rule[0] <= most])


def _build_search(rules: Sequence[_Rule]) -> Any:  # noqa: ANN401 - as above
    """Build a binary search of the rules."""
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
    """Return when a zone's offset changed between two instants, the later included; None if both have the same."""
    if _get_offset(before, zone) == (offset := _get_offset(after, zone)):
        return None
    while after - before > _RESOLUTION:
        middle = before + (after - before) // 2
        before, after = (before, middle) if _get_offset(middle, zone) == offset else (middle, after)
    return after.replace(microsecond=0)


def _write_offset(moment: datetime, zone: ZoneInfo, name: str) -> str:
    """Return the offset as `+hh:mm`, or the zone's name if it has seconds, which the server does not support."""
    minutes, seconds = divmod(round(_get_offset(moment, zone).total_seconds()), 60)
    if seconds:
        return name
    hours, minutes = divmod(abs(minutes), 60)
    return f"{'-' if _get_offset(moment, zone) < timedelta(0) else '+'}{hours:02}:{minutes:02}"


def _get_offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)


def _to_ms(moment: datetime) -> int:
    return (moment - _EPOCH) // _MS
