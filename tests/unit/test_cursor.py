"""Cursors decode to what was encoded, and nothing else decodes."""

import string
from decimal import Decimal

import bson
import pytest
from bson.decimal128 import Decimal128
from bson.objectid import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from database.cursor import Position, decode_cursor, encode_cursor, find_row_position
from database.errors import InvalidCursorError, MalformedDocumentError
from database.query import Order

orders = st.sampled_from([order.name for order in Order])
positions = st.builds(
    Position,
    value=st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.decimals(-(10**15), 10**15, places=2),
    id=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50) | st.just(ObjectId()),
)


@given(order=orders, position=positions)
def test_a_cursor_is_read_back_as_it_was_written(order: str, position: Position) -> None:
    """Decoding returns the encoded position, whatever its value and id."""
    text = encode_cursor(order, position)
    assert decode_cursor(text, order=order, field="after") == position
    assert text.isascii()
    assert not set(text) & set("+/= &?#")


@given(order=orders, position=positions, data=st.data())
def test_an_altered_cursor_is_refused(order: str, position: Position, data: st.DataObject) -> None:
    """A cursor with one character changed, added or removed is refused."""
    text = encode_cursor(order, position)
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("ABCxyz019-_"))
    before, after = text[:place], text[place + 1 :]
    altered = {before + after, before + letter + after, before + letter + text[place:], text + letter}
    # Some bits of the last letter may be unused.
    altered |= {text[:-1] + last for last in string.ascii_letters + string.digits + "-_"}
    for each in altered - {text}:
        with pytest.raises(InvalidCursorError, match="after is not a cursor"):
            decode_cursor(each, order=order, field="after")


@given(text=st.text(max_size=200))
def test_no_other_text_is_a_cursor(text: str) -> None:
    """Any text that is not a cursor is refused with a message, never with another failure."""
    with pytest.raises(InvalidCursorError, match="before is not a cursor"):
        decode_cursor(text, order="DATE_DESC", field="before")


def test_a_cursor_of_another_order_is_refused() -> None:
    """A cursor of another order is refused with a message that names both orders."""
    text = encode_cursor("AMOUNT_ASC", Position(1.5, "id"))
    with pytest.raises(InvalidCursorError, match=r"AMOUNT_ASC.*DATE_DESC"):
        decode_cursor(text, order="DATE_DESC", field="after")


@pytest.mark.parametrize("value", [None, True, "1", float("nan"), Decimal("NaN"), Decimal("Infinity")])
def test_what_is_no_number_ends_no_page(value: object) -> None:
    """A row whose sort value is no ordered number allows no cursor, and the error says so."""
    with pytest.raises(MalformedDocumentError, match="sort value"):
        encode_cursor("AMOUNT_ASC", Position(value, "id"))


@pytest.mark.parametrize("row_id", [1, None, "x" * 2_000])
def test_an_id_that_no_cursor_holds_ends_no_page(row_id: object) -> None:
    """A row whose id is neither short text nor an ObjectId allows no cursor, and the error says so."""
    with pytest.raises(MalformedDocumentError, match="id is neither"):
        encode_cursor("AMOUNT_ASC", Position(1.5, row_id))


@pytest.mark.parametrize(
    "forged", [{"$gt": ""}, None, ["x"], b"x", True, float("nan"), Decimal128("NaN"), Decimal128("Infinity")]
)
def test_a_forged_cursor_cannot_carry_operators(monkeypatch: pytest.MonkeyPatch, forged: object) -> None:
    """Even with a valid checksum, a value that is no number or an id that is no text is refused."""
    for document in ({"value": forged, "id": "x"}, {"value": 1, "id": forged}):
        forged_body = bson.encode({"order": "DATE_DESC", **document})
        with monkeypatch.context() as patch:
            patch.setattr("database.cursor.bson.encode", lambda _, body=forged_body: body)
            text = encode_cursor("DATE_DESC", Position(0, ""))
        with pytest.raises(InvalidCursorError):
            decode_cursor(text, order="DATE_DESC", field="after")


@given(date=st.integers(-(10**15), 10**15), row_id=st.text(min_size=1, max_size=50))
def test_a_row_that_was_received_is_a_place(date: int, row_id: str) -> None:
    """`<date>,<_id>` is the position of that row, whatever its id holds."""
    assert find_row_position(f"{date},{row_id}") == Position(date, row_id)


@pytest.mark.parametrize("text", ["", "1", "1,", ",x", "1.5,x", "12345678901234567,x", f"1,{'x' * 2_000}"])
def test_no_other_text_is_a_row_that_was_received(text: str) -> None:
    """A date that is not a whole number of milliseconds, or a missing or too long id, is no position."""
    assert find_row_position(text) is None
