"""Writes to a connection within one iteration of the event loop are sent together, in order and completely."""

import asyncio
from collections.abc import Iterable
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from gateway.joined_transport import JoinedTransport

LARGE = b"x" * 70_000


class Wire:
    """A stand-in for a transport that records the calls it gets."""

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
    """Two writes in one iteration are one system call; those of the next iteration are another."""
    joined, wire = open_joined()
    joined.write(b"head")
    joined.write(b"body")
    assert wire.sent == []
    await asyncio.sleep(0)
    joined.write(b"next")
    await asyncio.sleep(0)
    assert wire.sent == [b"headbody", b"next"]


async def test_what_is_empty_is_not_handed_on() -> None:
    """An empty body makes no system call: asyncio's own transport would retry it forever."""
    joined, wire = open_joined()
    joined.write(b"")
    await asyncio.sleep(0)
    assert wire.sent == []


async def test_what_is_large_does_not_wait() -> None:
    """More than a packet's worth is sent at once, after what was held."""
    joined, wire = open_joined()
    joined.write(b"head")
    joined.write(LARGE)
    assert wire.sent == [b"head" + LARGE]


async def test_a_close_sends_what_was_held() -> None:
    """Held data is sent on close and dropped on abort."""
    for end, sent in (("close", [b"last"]), ("abort", [])):
        joined, wire = open_joined()
        joined.write(b"last")
        getattr(joined, end)()
        await asyncio.sleep(0)
        assert wire.sent == sent
        assert wire.is_closed


async def test_a_lost_connection_is_not_written_to() -> None:
    """Nothing is sent on a connection lost after the write."""
    joined, wire = open_joined()
    joined.write(b"late")
    wire.close()
    await asyncio.sleep(0)
    assert wire.sent == []


@given(parts=st.lists(st.one_of(st.binary(max_size=20), st.just(LARGE), st.none()), max_size=20))
async def test_nothing_is_lost_or_out_of_order(parts: list[bytes | None]) -> None:
    """Whatever is written in whichever iterations comes out in order; None ends an iteration."""
    joined, wire = open_joined()
    for part in parts:
        if part is None:
            await asyncio.sleep(0)
        else:
            joined.write(part)
    joined.close()
    assert b"".join(wire.sent) == b"".join(part for part in parts if part is not None)
