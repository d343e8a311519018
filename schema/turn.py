"""Execute long lists in chunks, so that the event loop can do other work between two chunks."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

# Executed field by field, a row of nine fields takes about 50 µs of the event loop.
_ITEMS_PER_TURN = 100


async def give_in_turns(
    items: Iterable[T], turn: asyncio.Lock, at_once: int = _ITEMS_PER_TURN
) -> AsyncGenerator[T, None]:
    """Yield the items, letting the event loop run between chunks: each is executed before the next is requested."""
    iterator = iter(items)
    while some := list(islice(iterator, at_once)):
        async with turn:
            for item in some:
                yield item
            await asyncio.sleep(0)
