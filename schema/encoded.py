"""Write a result as JSON around rows that are already encoded; their bytes are copied once."""

from itertools import chain, zip_longest

import orjson

# JSON never contains this byte: strings escape it.
_GAP = b"\0"
_STAND_IN = orjson.Fragment(_GAP)


class EncodedRows:
    """One item of a result's list that stands for several: their JSON, without the list's brackets.

    It is not a dataclass, because orjson serialises those itself without calling `default`.
    """

    __slots__ = ("json",)

    def __init__(self, json: bytes) -> None:
        self.json = json


def write_json(result: object) -> bytes:
    """Return the JSON of a result; raises TypeError for a value that JSON cannot represent."""
    parts: list[bytes] = []

    def take(value: object) -> orjson.Fragment:
        if not isinstance(value, EncodedRows):
            raise TypeError(type(value).__name__)
        parts.append(value.json)
        return _STAND_IN

    frame = orjson.dumps(result, default=take)
    if not parts:
        return frame
    return b"".join(chain.from_iterable(zip_longest(frame.split(_GAP), parts, fillvalue=b"")))
