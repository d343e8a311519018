"""A subscriber gets each event once and in order, however it has caught up."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from database.event import LiveEvent, Place, encode_event_id
from database.query import RelativeFilter
from database.subscription import Subscription

DATABASE = "transactions"


@dataclass
class Stream:
    """How far a shared stream has come."""

    end: Place
    database: str = DATABASE


def build_place(number: int) -> Place:
    return f"82{number:08X}"


def build_event(number: int) -> LiveEvent:
    place = build_place(number)
    return LiveEvent(encode_event_id(place, DATABASE), place, {"amount": number}, b"data")


@given(
    read_again=st.integers(0, 20),
    handed_on=st.integers(0, 20),
    pieces=st.lists(st.integers(1, 5), min_size=10),
    data=st.data(),
)
async def test_what_was_read_again_is_not_given_again(
    read_again: int, handed_on: int, pieces: list[int], data: st.DataObject
) -> None:
    """Whether a replay ends before or after the events handed over meanwhile, each event is delivered once."""
    stream = Stream(build_place(handed_on))

    async def read_past() -> AsyncGenerator[tuple[list[LiveEvent], Place], None]:
        yield [build_event(number) for number in range(1, read_again + 1)], build_place(read_again)
        subscription.join([build_event(number) for number in range(read_again + 1, handed_on + 1)])

    subscription = Subscription(stream, RelativeFilter(), build_place(0), masked=True)
    subscription.follow(read_past())
    await subscription.read_past()
    numbers: list[int] = []
    if data.draw(st.booleans()):
        numbers += [event.row["amount"] for event in await subscription.read(0)]
    await subscription.read_past()
    last = handed_on
    for piece in pieces:
        events = [build_event(number) for number in range(last + 1, last + piece + 1)]
        last += piece
        stream.end = build_place(last)
        assert subscription.put(events, sum(len(event.data) for event in events))
        if data.draw(st.booleans()):
            numbers += [event.row["amount"] for event in await subscription.read(0)]
    numbers += [event.row["amount"] for event in await subscription.read(0)]
    assert numbers == list(range(1, max(last, read_again) + 1))
