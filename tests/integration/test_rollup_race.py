"""Counts from memory during writes: each is true at some moment between its request and its response."""

import asyncio
import random
import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from bson.decimal128 import Decimal128
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo.collection import Collection
from pymongo.write_concern import WriteConcern

from database.cell import Cell
from database.change_tail import ChangeTail
from database.environment import DatabaseEnvironment
from database.query import CardWindow
from database.rollup import Rollup
from database.stream import Reading
from tests.rollup import HOUR_MS, NOW_MS, ask, count_plainly, run_rollup, wait_for
from tests.waiting import DEADLINE_SECONDS

WRITES = 150
ASKED = (
    CardWindow("Visa", NOW_MS - 90 * 24 * HOUR_MS, NOW_MS),
    CardWindow("VISA", NOW_MS - 1000, NOW_MS + 1000),
    CardWindow("amex", NOW_MS - 26 * HOUR_MS, NOW_MS - HOUR_MS),
    CardWindow("amex", 0, 2 * NOW_MS),
)


class Writer:
    """Performs one write after another, and knows the counts possible meanwhile.

    Attributes:
        counts: for each state, the count of each window; a write leads from one state to the next, document by
            document.
        begun, done: how many writes were started, and acknowledged.
    """

    def __init__(self, collection: Collection[dict[str, Any]], seed: int) -> None:
        self._collections = [
            collection.with_options(write_concern=concern)
            for concern in (WriteConcern("majority"), WriteConcern(1), WriteConcern(1, j=False))
        ]
        self._random = random.Random(seed)  # noqa: S311 - not for cryptography
        self._documents: dict[Any, tuple[int, str]] = {}
        self.counts = [self._count()]
        self.begun = self.done = 0

    def _count(self) -> list[int]:
        return [
            sum(
                window.since <= date <= window.until and card.lower() == window.card_type.lower()
                for date, card in self._documents.values()
            )
            for window in ASKED
        ]

    def write(self) -> None:
        """Perform one random write, and return once it is acknowledged."""
        change = self._choose()
        self.counts.append(self._count())
        self.begun += 1
        change()
        self.done += 1

    def _choose(self) -> Callable[[], object]:
        some, collection = self._random, self._random.choice(self._collections)
        date = NOW_MS - some.choice([0, 0, 1, HOUR_MS, 25 * HOUR_MS, 90 * 24 * HOUR_MS]) + some.randrange(-2000, 2000)
        card = some.choice(["Visa", "visa", "Amex"])
        values = {"date": date, "cardType": card}
        kind = some.choice(["insert", "insert", "insert many", "update", "replace", "delete", "delete many"])
        if kind == "insert" or not self._documents:
            self._documents[self.begun] = (date, card)
            return partial(collection.insert_one, {"_id": self.begun, **values})
        if kind == "insert many":
            many = [{"_id": f"{self.begun} {number}", **values} for number in range(20)]
            self._documents |= {each["_id"]: (date, card) for each in many}
            return partial(collection.insert_many, many)
        old = some.choice(list(self._documents))
        if kind in {"update", "replace"}:
            self._documents[old] = (date, card)
            update = partial(collection.update_one, {"_id": old}, {"$set": values})
            return update if kind == "update" else partial(collection.replace_one, {"_id": old}, values)
        gone = [old] if kind == "delete" else some.sample(list(self._documents), len(self._documents) // 2)
        for each in gone:
            del self._documents[each]
        return partial(collection.delete_many, {"_id": {"$in": gone}})

    def allows(self, number: int, count: int, first: int, last: int) -> bool:
        """Whether a window had this count between the state at the request and that at the response."""
        states = [counts[number] for counts in self.counts[first : last + 1]]
        return any(min(pair) <= count <= max(pair) for pair in zip(states, states[1:] or states, strict=False))


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_a_count_is_true_at_a_moment_between_question_and_answer(
    reader_environment: DatabaseEnvironment, collection: Collection[dict[str, Any]], seed: int
) -> None:
    """During writes with any write concern, each count was true at some moment between request and response."""
    collection.delete_many({})
    writer = Writer(collection, seed)
    faults: list[tuple[int, ...]] = []
    answered = 0
    is_written = False

    def write_all() -> None:
        nonlocal is_written
        until = time.monotonic() + DEADLINE_SECONDS
        # On a busy machine memory may be too slow; find_count then gives none for a second.
        while writer.done < WRITES or (not answered and time.monotonic() < until):
            writer.write()
        is_written = True

    async def keep_asking(rollup: Rollup, number: int) -> None:
        nonlocal answered
        while not is_written:
            first = writer.done
            count = await rollup.find_count(ASKED[number])
            last = writer.begun
            if count is None:
                # find_count may return without suspending, and the tasks that memory depends on must run.
                await asyncio.sleep(0)
                continue
            answered += 1
            if not writer.allows(number, count, first, last):
                faults.append((number, count, first, last))

    async def run() -> None:
        async with run_rollup(reader_environment) as (rollup, watcher), asyncio.timeout(DEADLINE_SECONDS):
            writing = asyncio.get_running_loop().run_in_executor(None, write_all)
            await asyncio.gather(writing, *(keep_asking(rollup, number % len(ASKED)) for number in range(8)))
            assert [await ask(rollup, window) for window in ASKED] == writer.counts[-1]
            assert (len(watcher.builds), watcher.reasons) == (1, [])

    asyncio.run(run())
    assert answered
    assert faults == []


@pytest.mark.parametrize("odd", [None, Decimal128(Decimal(NOW_MS)), [NOW_MS]], ids=["transaction", "decimal", "array"])
async def test_dates_are_read_at_no_moment_that_memory_cannot_judge(
    odd: object,
    reader_environment: DatabaseEnvironment,
    collection: Collection[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Dates loaded while the stream is inside a transaction, or at an odd document, leave the counts correct."""
    window = CardWindow("Visa", NOW_MS - 50, NOW_MS)
    documents = [{"_id": number, "date": NOW_MS - number, "cardType": "Visa"} for number in range(700)]
    collection.insert_many(documents[:10])
    loads: list[asyncio.Task[None]] = []
    deliver = ChangeTail._deliver  # noqa: SLF001 - it runs between a query's lookup and its read

    def write() -> None:
        if odd is not None:
            collection.insert_one({"_id": "odd", "date": odd, "cardType": "Visa"})
            return
        with collection.database.client.start_session() as session, session.start_transaction():
            collection.insert_many(documents[10:], session=session)

    async with run_rollup(reader_environment) as (rollup, watcher):
        state = rollup._state  # noqa: SLF001 - no public access to it
        assert state is not None

        def deliver_and_read(tail: ChangeTail, reading: Reading) -> bool:
            is_full = deliver(tail, reading)
            if reading.changes and not loads:
                loads.append(asyncio.create_task(rollup._load(state, Cell("visa", NOW_MS // HOUR_MS))))  # noqa: SLF001 - no public access to it
            return is_full

        monkeypatch.setattr(ChangeTail, "_deliver", deliver_and_read)
        await asyncio.to_thread(write)
        await wait_for(lambda: loads, "the changes")
        await loads[0]
        collection.delete_many({"_id": "odd"})
        assert await ask(rollup, window) == count_plainly(collection, window)
        assert watcher.reasons == []
