"""Reads the header in which a caller names the trace that a request belongs to (W3C Trace Context)."""

import re

_ALL_ZERO = re.compile(rb"0+")
# Version 00 has these four fields; a later version may add some after another dash (section 4.3 of the standard).
_TRACEPARENT = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")


def find_traceparent(headers: list[tuple[bytes, bytes]]) -> str | None:
    """Return the header's text if it occurs once and is valid; otherwise None, as the standard requires."""
    given = [value for name, value in headers if name == b"traceparent"]
    if len(given) != 1 or not (match := _TRACEPARENT.fullmatch(given[0].strip())):
        return None
    version, trace_id, parent_id, more = match.groups()
    if (
        version == b"ff"
        or (version == b"00" and more)
        or _ALL_ZERO.fullmatch(trace_id)
        or _ALL_ZERO.fullmatch(parent_id)
    ):
        return None
    return given[0].strip().decode("latin-1")


def get_trace_id(traceparent: str) -> str:
    """Return the trace id of a valid header: 32 hexadecimal digits."""
    return traceparent[3:35]
