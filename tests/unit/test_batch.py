"""Server replies are split into batches without decoding their documents."""

import asyncio
from typing import Any

import pytest
from bson import Int64, Timestamp, encode
from hypothesis import given
from hypothesis import strategies as st

from database.batch import BatchCursor, Items, find_batch
from database.repository import CODEC

VALUES = st.one_of(
    st.none(), st.booleans(), st.floats(allow_nan=False), st.integers(-(2**63), 2**63 - 1).map(Int64), st.text()
)
KEYS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1)
DOCUMENTS = st.lists(st.dictionaries(KEYS, st.one_of(VALUES, st.lists(VALUES, max_size=3)), max_size=5), max_size=5)


def build_reply(name: str, documents: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a reply as mongod writes it."""
    return {
        "cursor": {name: documents, "id": Int64(7), "ns": "benchmark.transaction"},
        "ok": 1.0,
        "$clusterTime": {"clusterTime": Timestamp(5, 1), "signature": {"hash": b"", "keyId": Int64(0)}},
        "operationTime": Timestamp(5, 1),
    }


@given(name=st.sampled_from(["firstBatch", "nextBatch"]), documents=DOCUMENTS)
def test_a_reply_holds_its_documents_as_one_batch(name: str, documents: list[dict[str, Any]]) -> None:
    """The batch holds the reply's documents, and the rest of the reply is unchanged."""
    found = find_batch(encode(build_reply(name, documents)))
    assert found is not None
    items = found["cursor"].pop(name)
    assert [row for batch in items for row in batch.decode(CODEC)] == documents
    assert len(items) == bool(documents)
    rest = build_reply(name, documents)
    del rest["cursor"][name]
    assert found == rest


def test_a_reply_of_another_form_is_left_to_the_driver() -> None:
    """Errors, and replies whose cursor or batch does not come first, are left to the driver."""
    cursor = {"id": Int64(0), "ns": "benchmark.transaction", "firstBatch": [{"a": 1}]}
    for reply in ({"ok": 0.0, "errmsg": "no"}, {"ok": 1.0, "cursor": cursor}, {"cursor": cursor}, {}):
        assert find_batch(encode(reply)) is None


class DeafCursor(BatchCursor):
    """A cursor that loses a cancellation, as the driver does at times, and then returns a batch or fails."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.asked = asyncio.Event()

    async def _next_batch(self, result: Items, total: int | None = None) -> bool:  # noqa: ARG002 - the driver's signature
        self.asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if self.failure:
                raise self.failure from None
        result.append({"_id": 1})
        return True


@pytest.mark.parametrize("failure", [None, OSError()])
async def test_a_reader_whose_cancellation_was_lost_ends(failure: Exception | None) -> None:
    """A read-ahead task ends once cancelled, whatever the read returns and although nobody takes the result."""
    read: asyncio.Queue[Items | Exception] = asyncio.Queue(maxsize=1)
    read.put_nowait([{"_id": 0}])
    cursor = DeafCursor(failure)
    reader = asyncio.create_task(cursor.read_ahead(read))
    await cursor.asked.wait()
    reader.cancel()
    async with asyncio.timeout(60):
        await asyncio.wait([reader])
    assert reader.cancelled()
    assert read.get_nowait() == [{"_id": 0}]
