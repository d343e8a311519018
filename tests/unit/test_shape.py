"""Rows that are encoded a column at a time, held to orjson, which encodes them one by one."""

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from schema.shape import TRANSACTION_COLUMNS, RowShape

SHAPE = RowShape({name: TRANSACTION_COLUMNS[name] for name in ("currency", "vendor")})
# What JSON escapes, what stands between its texts, and what takes several bytes.
texts = st.text(st.sampled_from('",\\\n\0\x7fé🏦a'), max_size=4)


@given(pairs=st.lists(st.tuples(texts, st.none() | texts), min_size=1, max_size=6))
@example(pairs=[('",', '",'), ("a", "b")])
def test_any_texts_are_encoded_as_each_would_be_alone(pairs: list[tuple[str, str | None]]) -> None:
    """Whatever texts begin and end with, each is encoded as it is without those beside it."""
    rows = [{"currency": currency, "vendor": vendor} for currency, vendor in pairs]
    assert SHAPE.encode(rows).json == b",".join(map(orjson.dumps, rows))
