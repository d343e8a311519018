"""Cursors are read back as they were written, and nothing else is read."""

import bson
import pytest
from bson.objectid import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from database.cursor import Position, decode_cursor, encode_cursor
from database.errors import InvalidCursorError
from database.query import Order

orders = st.sampled_from([order.name for order in Order])
positions = st.builds(
    Position,
    value=st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False),
    id=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50) | st.just(ObjectId()),
)


@given(order=orders, position=positions)
def test_a_cursor_is_read_back_as_it_was_written(order: str, position: Position) -> None:
    """Decoding gives the position that was encoded, whatever its value and id."""
    text = encode_cursor(order, position)
    assert decode_cursor(text, order=order, field="after") == position
    assert text.isascii()
    assert not set(text) & set("+/= &?#")


@given(order=orders, position=positions, data=st.data())
def test_an_altered_cursor_is_refused(order: str, position: Position, data: st.DataObject) -> None:
    """Changing, adding or taking one character of a cursor is noticed."""
    text = encode_cursor(order, position)
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("ABCxyz019-_"))
    for altered in (text[:place] + text[place + 1 :], text[:place] + letter + text[place:], text + letter):
        if altered != text:
            with pytest.raises(InvalidCursorError, match="after is not a cursor"):
                decode_cursor(altered, order=order, field="after")


@given(text=st.text(max_size=200))
def test_no_other_text_is_a_cursor(text: str) -> None:
    """Any text that is not a cursor is refused with a message, never with another failure."""
    with pytest.raises(InvalidCursorError, match="before is not a cursor"):
        decode_cursor(text, order="DATE_DESC", field="before")


def test_a_cursor_of_another_order_is_refused() -> None:
    """The message names both orders."""
    text = encode_cursor("AMOUNT_ASC", Position(1.5, "id"))
    with pytest.raises(InvalidCursorError, match=r"AMOUNT_ASC.*DATE_DESC"):
        decode_cursor(text, order="DATE_DESC", field="after")


@pytest.mark.parametrize("forged", [{"$gt": ""}, None, ["x"], b"x"])
def test_a_forged_cursor_cannot_carry_operators(monkeypatch: pytest.MonkeyPatch, forged: object) -> None:
    """Even with a right checksum, a value that is not a number or an id that is not text is refused."""
    for document in ({"value": forged, "id": "x"}, {"value": 1, "id": forged}):
        forged_body = bson.encode({"order": "DATE_DESC", **document})
        with monkeypatch.context() as patch:
            patch.setattr("database.cursor.bson.encode", lambda _, body=forged_body: body)
            text = encode_cursor("DATE_DESC", Position(0, ""))
        with pytest.raises(InvalidCursorError):
            decode_cursor(text, order="DATE_DESC", field="after")
