"""Counts from memory are exact, whatever is written, by whom, and while they are requested."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bson.decimal128 import Decimal128
from bson.int64 import Int64
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo.collection import Collection

from database.environment import DatabaseEnvironment
from database.query import CardWindow
from tests.rollup import HOUR_MS, NOW_MS, ask, count_plainly, run_rollup

_Collection = Collection[dict[str, Any]]

QUIET = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


CARDS = ("Visa", "visa", "VISA", "Amex", "amex ", "A-mex", "", "x" * 64, "x" * 65, "x" * 70)
# At hour boundaries, before the epoch, and where doubles lose integer precision.
whole_dates = st.builds(
    lambda hours, offset: NOW_MS // HOUR_MS * HOUR_MS - hours * HOUR_MS + offset,
    st.sampled_from([0, 0, 1, 2, 23, 24, 25, 2160, 600_000]),
    st.sampled_from([-1, 0, 1, 1_000, HOUR_MS - 1, 123]),
)
plain_dates = st.one_of(whole_dates, whole_dates.map(Int64), whole_dates.map(float), st.just(7))
without_match = st.sampled_from(
    [None, "2026", True, {"ms": 1}, 2**62, -(2**62), 1e300, -1e300, 2**53 - 1, -(2**53) + 1]
)
odd_dates = st.one_of(
    st.sampled_from([float("nan"), float("inf"), float("-inf"), 0.5, -0.5]),
    whole_dates.map(lambda date: date + 0.25),
    whole_dates.map(lambda date: Decimal128(Decimal(date))),
    st.lists(whole_dates, max_size=2),
)
odd_cards = st.sampled_from(
    ["Vïsa", "\N{FULLWIDTH LATIN CAPITAL LETTER V}isa", "V\u00adisa", "visa\x00", "ﬁ", ["Visa"], ["x"], []]
)
other_cards = st.sampled_from([None, 5, True, {"a": "Visa"}])
cards = st.sampled_from(CARDS)
plain = st.fixed_dictionaries({}, optional={"date": plain_dates | without_match, "cardType": cards | other_cards})
odd = st.fixed_dictionaries({"date": odd_dates | plain_dates, "cardType": odd_cards | cards}).filter(
    # Compound indexes accept no two array fields in one document.
    lambda document: not (isinstance(document["date"], list) and isinstance(document["cardType"], list))
)
windows = st.builds(
    lambda card, first, second: CardWindow(card, min(first, second), max(first, second)),
    st.sampled_from(["visa", "AMEX", "Amex ", "x" * 64, "maestro"]),
    whole_dates,
    whole_dates,
)


@dataclass(frozen=True)
class Write:
    """One write: its kind, the document's number, and the values."""

    kind: str
    number: int
    values: dict[str, Any]

    def run(self, collection: _Collection) -> None:
        """Perform the write; documents have another field, which some updates change alone."""
        if self.kind == "insert":
            collection.replace_one({"_id": self.number}, {**self.values, "amount": 1}, upsert=True)
        elif self.kind == "update" and self.values:
            collection.update_one({"_id": self.number}, {"$set": self.values})
        elif self.kind == "unset":
            collection.update_one({"_id": self.number}, {"$unset": dict.fromkeys(("date", "cardType"), 1)})
        elif self.kind == "other":
            collection.update_one({"_id": self.number}, {"$inc": {"amount": 1}, "$set": {"dates.date": 1}})
        elif self.kind == "delete":
            collection.delete_one({"_id": self.number})
        elif self.kind == "delete many":
            collection.delete_many({"_id": {"$gte": self.number}})
        elif self.kind == "transaction":
            with collection.database.client.start_session() as session, session.start_transaction():
                collection.delete_many({"_id": self.number}, session=session)
                collection.insert_one({**self.values, "_id": self.number}, session=session)
                collection.update_one({"_id": self.number + 1}, {"$set": self.values or {"a": 1}}, session=session)


KINDS = ("insert", "insert", "insert", "update", "unset", "other", "delete", "delete many", "transaction")


def writes(documents: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[Write]]:
    return st.lists(st.builds(Write, st.sampled_from(KINDS), st.integers(0, 9), documents), max_size=12)


@settings(QUIET, max_examples=40)
@given(before=st.lists(plain, max_size=12), made=writes(plain), asked=st.lists(windows, min_size=1, max_size=3))
def test_each_write_is_in_the_next_count(
    reader_environment: DatabaseEnvironment,
    collection: _Collection,
    before: list[dict[str, Any]],
    made: list[Write],
    asked: list[CardWindow],
) -> None:
    """After every acknowledged write, memory returns the server's own count for everything it can judge."""
    collection.delete_many({})
    for number, document in enumerate(before):
        collection.insert_one({**document, "_id": number})

    async def run() -> None:
        async with run_rollup(reader_environment) as (rollup, watcher):
            for write in [None, *made]:
                if write:
                    await asyncio.to_thread(write.run, collection)
                for window in asked:
                    assert await ask(rollup, window) == count_plainly(collection, window)
            assert (len(watcher.builds), watcher.reasons) == (1, [])

    asyncio.run(run())


@settings(QUIET, max_examples=40)
@given(made=writes(st.one_of(plain, odd)), asked=st.lists(windows, min_size=1, max_size=3))
def test_what_memory_cannot_judge_is_not_counted_there(
    reader_environment: DatabaseEnvironment, collection: _Collection, made: list[Write], asked: list[CardWindow]
) -> None:
    """With arrays, fractions, decimals and non-ASCII names present, memory returns the server's own count or none."""
    collection.delete_many({})

    async def run() -> None:
        async with run_rollup(reader_environment) as (rollup, watcher):
            for write in made:
                await asyncio.to_thread(write.run, collection)
                for window in asked:
                    assert await rollup.find_count(window) in {None, count_plainly(collection, window)}
            collection.delete_many({})
            assert [await ask(rollup, window) for window in asked] == [0] * len(asked)
            assert watcher.reasons == []

    asyncio.run(run())
