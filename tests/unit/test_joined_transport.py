"""What is written to a connection within a turn of the event loop is sent together, in order, and nothing is lost."""

import asyncio
from collections.abc import Iterable
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from gateway.joined_transport import JoinedTransport

LARGE = b"x" * 70_000


class Wire:
    """In place of a transport: what it was given, call by call."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.is_closed = False

    def writelines(self, parts: Iterable[bytes]) -> None:
        assert not self.is_closed
        self.sent.append(b"".join(parts))

    def close(self) -> None:
        self.is_closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.is_closed


def open_joined() -> tuple[JoinedTransport, Wire]:
    wire = Wire()
    return JoinedTransport(cast("asyncio.Transport", wire), asyncio.get_running_loop()), wire


async def test_a_head_goes_with_its_body() -> None:
    """Two writes of one turn are one call of the system; those of the next turn are another."""
    joined, wire = open_joined()
    joined.write(b"head")
    joined.write(b"body")
    assert wire.sent == []
    await asyncio.sleep(0)
    joined.write(b"next")
    await asyncio.sleep(0)
    assert wire.sent == [b"headbody", b"next"]


async def test_what_is_empty_is_not_handed_on() -> None:
    """No call of the system is made for a body of no bytes: asyncio's own transport would try it for ever."""
    joined, wire = open_joined()
    joined.write(b"")
    await asyncio.sleep(0)
    assert wire.sent == []


async def test_what_is_large_does_not_wait() -> None:
    """More than a packet's worth is sent within the turn, behind what was held."""
    joined, wire = open_joined()
    joined.write(b"head")
    joined.write(LARGE)
    assert wire.sent == [b"head" + LARGE]


async def test_a_close_sends_what_was_held() -> None:
    """What was written before an orderly end is sent, of what was written before an abrupt one nothing."""
    for end, sent in (("close", [b"last"]), ("abort", [])):
        joined, wire = open_joined()
        joined.write(b"last")
        getattr(joined, end)()
        await asyncio.sleep(0)
        assert wire.sent == sent
        assert wire.is_closed


async def test_a_lost_connection_is_not_written_to() -> None:
    """Nothing is sent on a connection that was lost after it was written to."""
    joined, wire = open_joined()
    joined.write(b"late")
    wire.close()
    await asyncio.sleep(0)
    assert wire.sent == []


@given(parts=st.lists(st.one_of(st.binary(max_size=20), st.just(LARGE), st.none()), max_size=20))
async def test_nothing_is_lost_or_out_of_order(parts: list[bytes | None]) -> None:
    """Whatever is written in whatever turns comes out as it went in; None is the end of a turn."""
    joined, wire = open_joined()
    for part in parts:
        if part is None:
            await asyncio.sleep(0)
        else:
            joined.write(part)
    joined.close()
    assert b"".join(wire.sent) == b"".join(part for part in parts if part is not None)
