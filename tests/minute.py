"""Observes things counted per clock minute within one minute: a new minute brings a new allowance."""

import time
from collections.abc import Callable
from typing import TypeVar

_MINUTE = 60

_Seen = TypeVar("_Seen")


def look_within_a_minute(look: Callable[[], _Seen]) -> _Seen:
    """Return what `look` returns; if the minute changed meanwhile, retry, so each try must use a new caller."""
    while True:
        minute = time.time() // _MINUTE
        seen = look()
        if time.time() // _MINUTE == minute:
            return seen
