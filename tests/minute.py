"""What is counted by the minute of the clock, looked at within one: where a minute ends, more is allowed at once."""

import time
from collections.abc import Callable
from typing import TypeVar

_MINUTE = 60

_Seen = TypeVar("_Seen")


def look_within_a_minute(look: Callable[[], _Seen]) -> _Seen:
    """Give what `look` gives; where a minute ended meanwhile, look again, which must count for a new caller."""
    while True:
        minute = time.time() // _MINUTE
        seen = look()
        if time.time() // _MINUTE == minute:
            return seen
