"""Which path a list takes, encoding or execution, and that both yield to the event loop."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import orjson
import pytest

from database.kept_rows import KeptRows
from database.query import FIELDS, FindPlan, TransactionFilter
from database.repository import NoteBatch, TransactionRepository
from database.row import Row
from database.shared_pages import SharedRows
from schema.context import RequestContext
from schema.encoded import EncodedRows, write_json
from schema.schema import build_schema
from tests.iterations import count_iterations
from tests.reference import NODE

# More iterations of the event loop than the rest of an operation takes.
MANY_ITERATIONS = 15


class ReadyRows:
    """A stand-in for the repository whose rows need no waiting, so that every loop iteration is the executor's."""

    def __init__(self, rows: list[Row], *, notes: bool) -> None:
        self._rows = rows
        self._notes = notes

    async def find_newest(self, _wanted: TransactionFilter, _limit: int, _fields: frozenset[str]) -> SharedRows | None:
        """Return None, so that each page is read by itself."""
        return None

    async def find_kept_rows(self, plan: FindPlan, note_batch: NoteBatch | None = None) -> KeptRows:
        kept = KeptRows()
        rows = self._rows[: plan.limit]
        kept.add(rows, lambda: rows)
        for start in range(0, plan.limit if self._notes else 0, 1_000):
            if note_batch:
                note_batch(rows[start : start + 1_000])
        return kept


def build_rows(count: int, **changes: object) -> list[Row]:
    values = ["x", 1_795_000_000_123, "USD", 12.5, "Vendor", "Street\nTown", "Visa", "************1111", "US"]
    return [dict(zip(FIELDS, values, strict=True)) | changes for _ in range(count)]


async def ask(repository: ReadyRows, selection: str, first: int) -> tuple[dict[str, Any], int]:
    """Return a connection as executed, and how many iterations the event loop made meanwhile."""
    context = RequestContext(cast("TransactionRepository", repository), encodes_rows=True)
    with count_iterations() as iterations:
        result = await build_schema().execute(
            f"{{ transactions(first: {first}) {{ {selection} }} }}", context_value=context
        )
    assert result.errors is None
    assert result.data is not None
    return result.data["transactions"], iterations.number


@pytest.mark.parametrize("notes", [True, False])
@pytest.mark.parametrize(
    "selection",
    [
        f"nodes {{ {NODE} }}",
        "nodes { ...N } } } fragment N on Transaction { a: id __typename ... @include(if: true) { vendor",
        f"edges {{ cursor node {{ {NODE} }} }}",
    ],
)
def test_a_list_is_encoded_whole(selection: str, *, notes: bool) -> None:
    """Rows without odd values are encoded, whether or not they were checked as they were read, as many as requested."""
    answer, _ = asyncio.run(ask(ReadyRows(build_rows(2_501), notes=notes), selection, 2_500))
    (name,) = answer
    assert all(isinstance(part, EncodedRows) for part in answer[name])
    assert len(orjson.loads(write_json(answer))[name]) == 2_500


class SharedReadyRows(ReadyRows):
    """Rows shared by all requests."""

    def __init__(self, rows: list[Row]) -> None:
        super().__init__(rows, notes=True)
        self._shared = SharedRows(rows)

    async def find_newest(self, _wanted: TransactionFilter, _limit: int, _fields: frozenset[str]) -> SharedRows:
        return self._shared


@pytest.mark.parametrize(
    "selection",
    [
        f"nodes {{ {NODE} }}",
        "nodes { __typename id }",
        f"edges {{ __typename cursor node {{ __typename {NODE} }} }}",
    ],
)
def test_shared_rows_are_encoded_once_for_all_who_select_alike(selection: str) -> None:
    """Two operations with the same selection get the same bytes object, one with another selection its own."""
    shared = SharedReadyRows(build_rows(11))
    answers = [asyncio.run(ask(shared, each, 10))[0] for each in (selection, selection, "edges { cursor }")]
    (first, second, other) = (next(iter(answer.values()))[0] for answer in answers)
    assert first is second
    assert isinstance(other, EncodedRows)
    assert other.json != first.json


@pytest.mark.parametrize("build", [lambda: build_rows(101, vendor=5), lambda: build_rows(101, _id=5)])
def test_an_unusual_list_is_executed(build: Callable[[], list[Row]]) -> None:
    """A value of the wrong type for its field makes the ordinary executor handle the list."""
    answer, _ = asyncio.run(ask(ReadyRows(build(), notes=True), f"nodes {{ {NODE} }}", 100))
    assert len(answer["nodes"]) == 100
    assert all(isinstance(node, dict) for node in answer["nodes"])


@pytest.mark.parametrize("selection", [f"nodes {{ {NODE} }}", f"edges {{ cursor node {{ {NODE} }} }}"])
def test_the_event_loop_goes_round_while_a_list_is_executed(selection: str) -> None:
    """Executing 10,000 rows field by field yields to other requests at least every hundred rows."""
    _, iterations = asyncio.run(ask(ReadyRows(build_rows(10_001, vendor=5), notes=True), selection, 10_000))
    assert iterations > 100


def test_the_event_loop_goes_round_between_lists_that_are_encoded() -> None:
    """Several lists of an operation are encoded one per iteration of the event loop, not all in one."""
    lists = " ".join(f"n{number}: nodes {{ {NODE} }}" for number in range(20))
    _, iterations = asyncio.run(ask(ReadyRows(build_rows(1_001), notes=False), lists, 1_000))
    assert iterations > MANY_ITERATIONS
    _, iterations = asyncio.run(ask(ReadyRows(build_rows(1_001), notes=False), f"nodes {{ {NODE} }}", 1_000))
    assert iterations < MANY_ITERATIONS


def test_a_result_is_written_around_its_encoded_rows() -> None:
    """Encoded rows are written in place of their items; a value without a JSON form is an error."""
    result = {"a": [EncodedRows(b"1,2"), EncodedRows(b"3")], "b": "\0", "c": [EncodedRows(b'"\\u0000"')]}
    assert orjson.loads(write_json(result)) == {"a": [1, 2, 3], "b": "\0", "c": ["\0"]}
    with pytest.raises(TypeError, match="object"):
        write_json({**result, "d": object()})
