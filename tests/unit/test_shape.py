"""Rows encoded column by column equal what orjson encodes row by row."""

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from schema.shape import TRANSACTION_COLUMNS, RowShape

SHAPE = RowShape({name: TRANSACTION_COLUMNS[name] for name in ("currency", "vendor")})
# Characters that JSON escapes or uses between strings, and multi-byte ones.
texts = st.text(st.sampled_from('",\\\n\0\x7fé🏦a'), max_size=4)


@given(pairs=st.lists(st.tuples(texts, st.none() | texts), min_size=1, max_size=6))
@example(pairs=[('",', '",'), ("a", "b")])
def test_any_texts_are_encoded_as_each_would_be_alone(pairs: list[tuple[str, str | None]]) -> None:
    """Whatever texts begin and end with, each is encoded as it would be alone."""
    rows = [{"currency": currency, "vendor": vendor} for currency, vendor in pairs]
    assert SHAPE.encode(rows).json == b",".join(map(orjson.dumps, rows))
