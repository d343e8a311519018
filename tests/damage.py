"""Damages the bytes of a request, as a broken network, a broken client or an attacker does."""

import random
from collections.abc import Callable

from tests.exchange import Request


def damage(request: Request, chance: random.Random) -> Request:
    """Return the bytes of a request with some truncated, removed, inserted, changed or duplicated."""
    raw = bytearray(request.render(b"localhost"))
    at = chance.randrange(len(raw))
    changes: list[Callable[[], None]] = [
        lambda: raw.__delitem__(slice(at, None)),
        lambda: raw.__delitem__(slice(at, at + chance.randrange(1, 20))),
        lambda: raw.__setitem__(
            slice(at, at), chance.choice([b"\0", b"\r\n", b"\n", b"\r\n\r\n", b" ", b":", b"\xff" * 9])
        ),
        lambda: raw.__setitem__(at, chance.randrange(256)),
        lambda: raw.__setitem__(slice(at, at), raw[: chance.randrange(len(raw))]),
        lambda: raw.__setitem__(slice(0, 0), raw),
    ]
    for change in chance.choices(changes, k=chance.choice([1, 1, 2])):
        if at < len(raw):
            change()
    wire = bytes(raw)
    line = wire.lstrip(b"\r\n").partition(b"\n")[0].split(b" ")
    # The response is judged against the request line as the damaged bytes now state it.
    return Request("wire", line[0], line[1] if len(line) > 1 else b"", wire=wire)
