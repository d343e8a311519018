"""Rows kept as the server sent them, decoded when all of them are wanted."""

import asyncio
from itertools import islice

from database.kept_rows import KeptRows
from database.row import Row


async def test_all_rows_come_in_order_while_the_event_loop_goes_round() -> None:
    """Every caller gets all rows, and each batch is loaded once, in its own iteration of the event loop."""
    loaded: list[int] = []

    def load(number: int) -> list[Row]:
        loaded.append(number)
        return [{"_id": number}]

    kept = KeptRows()
    for number in range(5):
        kept.add([{"_id": number}], lambda number=number: load(number))  # type: ignore[misc]  # bound as a default argument
    tasks = [asyncio.create_task(kept.load()) for _ in range(2)]
    seen = set()
    while not all(task.done() for task in tasks):
        seen.add(len(loaded))
        await asyncio.sleep(0)
    assert [await task for task in tasks] == [[{"_id": number} for number in range(5)]] * 2
    assert loaded == list(range(5))
    assert len(seen) > 2


def test_the_ends_are_at_hand() -> None:
    """The first row and the last two are available without loading any batch, wherever the batches end."""

    def load() -> list[Row]:
        raise AssertionError

    for sizes in ([1], [5], [3, 2], [4, 1], [1, 1, 1]):
        rows: list[Row] = [{"_id": number} for number in range(sum(sizes))]
        kept, left = KeptRows(), iter(rows)
        for size in sizes:
            kept.add(list(islice(left, size)), load)
        assert (kept.number, kept.first, kept.get_last()) == (len(rows), rows[0], rows[-1])
        if len(rows) > 1:
            assert kept.get_last(but_one=True) == rows[-2]
