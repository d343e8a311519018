"""What the speed benchmark requests, and how it reads each program's responses."""

import json
from decimal import Decimal

import pytest

from benchmarks.part import OWN_ASKS, PARTS, RAW, Part
from benchmarks.peer import PEERS
from benchmarks.question import GATEWAY, REST_AND_GRAPHQL, read_answer

_ROW = {
    "date": 1_795_451_942_588,
    "currency": "USD",
    "amount": 151.9,
    "vendor": "Erickson-Adams",
    "address": "9409 Brian Path\nPort Jenniferbury",
    "cardType": "Visa",
    "cardNumber": "4749620787802902",
    "countryOrigin": "US",
}
_REST = {"_id": "5649b070", **_ROW}
_GRAPHQL = {**_ROW, "id": "5649b070", "date": "2026-11-23T16:39:02.588+00:00", "amount": "151.90"}
_MASKED = {**_GRAPHQL, "date": "2026-11-23T16:39:02.588Z", "cardNumber": "************2902"}


@pytest.mark.parametrize(
    "answer",
    [
        [_REST],
        {"_items": [{**_REST, "_created": "Thu, 01 Jan 1970 00:00:00 GMT"}], "_meta": {"total": 1, "max_results": 9}},
        {"data": {"transactions": [_GRAPHQL]}},
        {"data": {"transactions": {"nodes": [_MASKED]}}},
    ],
    ids=["REST", "Eve", "GraphQL", "gateway"],
)
def test_one_transaction_reads_alike_in_every_form(answer: object) -> None:
    """A response's rows read alike from every peer, except for the card digits that the gateway masks."""
    values = ("USD", Decimal("151.9"), "Erickson-Adams", _ROW["address"], "Visa", "2902", "US")
    assert read_answer(json.dumps(answer).encode()) == [("5649b070", _ROW["date"], *values)]


@pytest.mark.parametrize("answer", [{"count": 7}, {"_items": [_REST], "_meta": {"total": 7, "max_results": 1}}])
def test_one_number_reads_alike_in_every_form(answer: object) -> None:
    """A count reads as a number from every peer."""
    assert read_answer(json.dumps(answer).encode()) == 7


@pytest.mark.parametrize(
    "answer",
    [
        {"errors": [{"message": "no"}], "data": {"transactions": [_GRAPHQL]}},
        {"data": None, "errors": [{"message": "no"}]},
        {"detail": "Internal Server Error"},
        "no",
    ],
)
def test_an_error_is_no_answer(answer: object) -> None:
    """A response with errors, even beside data, is refused."""
    with pytest.raises(ValueError, match="answers no question"):
        read_answer(json.dumps(answer).encode())


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_a_part_asks_all_dialects_as_many_questions(part: Part) -> None:
    """A part has equally many requests in each dialect, and compares known programs only."""
    assert part.against.keys() <= {*PEERS, *OWN_ASKS, RAW}
    numbers = {len(part.ask(dialect)) for dialect in (GATEWAY, REST_AND_GRAPHQL)}
    assert len(numbers) == 1
    assert numbers != {0}


def test_different_questions_are_all_different() -> None:
    """No request occurs twice in a part's list."""
    for part in PARTS:
        asks = part.ask(GATEWAY)
        assert len(set(asks)) == len(asks)
        assert (len(asks) > 300) == ("different" in part.work)
