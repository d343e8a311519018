"""How long a caller must wait, and which caller an address identifies."""

import asyncio
import ipaddress
import time
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from limits.aio.storage import RedisStorage

from gateway.client_address import describe_address
from gateway.rate import Allowance, LocalStorage, SharedStorage, Window, compute_wait

MINUTE = 60


@st.composite
def windows(draw: st.DrawFn) -> tuple[Window, int]:
    """A counter window under a limit, and the limit."""
    limit = draw(st.integers(1, 10_000))
    left = draw(st.floats(0.01, MINUTE))
    return (draw(st.integers(0, limit)), left, draw(st.integers(0, limit)), left + MINUTE), limit


def pass_time(window: Window, seconds: float) -> Window:
    before, left, current, kept = window
    if seconds < left:
        return before, left - seconds, current, kept - seconds
    return current, left + MINUTE - seconds, 0, kept + MINUTE - seconds


@given(windows())
def test_who_waits_as_told_may_ask_and_not_much_before(case: tuple[Window, int]) -> None:
    """After the seconds in Retry-After one more request is allowed, and a second earlier none."""
    window, limit = case
    wait = compute_wait(window, limit)
    assert compute_wait(pass_time(window, wait), limit) == 0
    if wait:
        assert compute_wait(pass_time(window, wait - 1.001 if wait > 1 else 0), limit) > 0


def describe(address: object) -> str:
    return describe_address({"client": (str(address), 1)})


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(1, 2**64 - 1))
def test_a_customer_is_one_caller_in_ipv6(first: int, second: int, network: int) -> None:
    """All addresses of one IPv6 /64 network are one caller, and another network is another."""
    one, other = (ipaddress.IPv6Address((network << 64) + low) for low in (first, second))
    assert describe(one) == describe(other)
    assert describe(ipaddress.IPv6Address(((network ^ 1) << 64) + first)) != describe(one)


@given(st.ip_addresses(v=4))
def test_an_address_is_one_caller_in_ipv4(address: ipaddress.IPv4Address) -> None:
    """An IPv4 address is one caller, however the socket writes it."""
    assert describe(address) == describe(f"::ffff:{address}") == str(address)


def test_what_is_no_address_is_a_caller_too() -> None:
    """A proxy that forwards no valid address does not fail the request."""
    assert describe("unknown") == "unknown"
    assert describe_address({"client": None}) == ""


async def test_who_asks_no_more_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller's counter is kept for at most two minutes after its last request."""
    storage = LocalStorage()
    allowance = Allowance(storage, "requests", 5)
    begun = time.time()
    for number in range(100):
        await allowance.take(f"key:{number}")
    assert len(storage.storage) == len(storage.expirations) == 100
    monkeypatch.setattr(time, "time", lambda: begun + 2 * MINUTE + 2)
    await allowance.take("key:another")
    assert len(storage.storage) == len(storage.expirations) == 1


@pytest.fixture
async def shared() -> AsyncIterator[SharedStorage]:
    """A shared storage whose Redis was never connected to."""
    storage = SharedStorage("redis://127.0.0.1:1")
    yield storage
    await storage.close()


async def test_one_request_finds_out_whether_a_redis_is_back(
    shared: SharedStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a Redis hangs, it is not tried for a second, then by one request while the others count locally."""
    asked = 0

    async def hang(*_arguments: object) -> bool:
        nonlocal asked
        asked += 1
        await asyncio.Event().wait()
        return True

    monkeypatch.setattr(RedisStorage, "acquire_sliding_window_entry", hang)
    allowance = Allowance(shared, "requests", 100)
    for _ in range(3):
        await allowance.take("a")
    assert asked == 1
    monkeypatch.setattr(shared, "_next_try", 0.0)
    await asyncio.gather(*(allowance.take("a") for _ in range(10)))
    assert asked == 2
