"""Random documents and queries with values in common, so that the queries find something."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from bson.code import Code
from bson.decimal128 import Decimal128
from bson.objectid import ObjectId
from hypothesis import strategies as st

from database.query import FIELDS, Order
from tests.reference import DAY_MS, Document, Question

CARD_TYPES = ["Visa", "VISA", "visa", "Mastercard", "Amex", "Maestro", "Discover", "Carte Bleue", "Ünion", "$ne", "a/b"]
COUNTRIES = ["US", "us", "GB", "DE", "FR", "XK"]
# Few values, so that many rows share a date or an amount and differ only in their ids.
AMOUNTS = ["0.0", "0.01", "9.99", "10.0", "99.99", "100.0", "100.01", "999.0", "123456789012.34"]
DAYS = [0, 1, 2, 30, 90, 365, 36_500]
ORDERS = [order.name for order in Order]

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.sampled_from(
    ['"quoted", with a comma', '"quoted",', "two\nlines", "=1+1", "naïve 🏦", ""]
)
amounts = st.sampled_from(AMOUNTS) | st.integers(0, 10_000_000).map(lambda cents: str(Decimal(cents) / 100))


def documents(offsets: st.SearchStrategy[int], now_ms: int) -> st.SearchStrategy[list[Document]]:
    """Lists of documents whose dates are `now_ms` minus an offset in ms."""
    document = st.fixed_dictionaries(
        {
            "_id": st.uuids(version=4).map(str),
            "date": offsets.map(lambda offset: now_ms - offset),
            "currency": st.sampled_from(["USD", "EUR", "JPY"]),
            "amount": amounts.map(float),
            "vendor": texts,
            "address": texts,
            "cardType": st.sampled_from(CARD_TYPES),
            "cardNumber": st.sampled_from(["4111111111111111", "378282246310005", "6759649826438453"]),
            "countryOrigin": st.sampled_from(COUNTRIES),
        }
    )
    return st.lists(document, max_size=40, unique_by=lambda found: found["_id"])


# Both sides of both ends of each window, to the millisecond.
edge_offsets = st.sampled_from([days * DAY_MS + step for days in DAYS[:-1] for step in (-1, 0, 1)])
# An hour away from every boundary, so that it does not matter when a process reads its clock.
inner_offsets = st.sampled_from([days * DAY_MS + side for days in DAYS[:-1] for side in (-3_600_000, 3_600_000)])


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """Queries with any conditions and any order; the amount range is never reversed."""
    amount = st.none() | amounts
    low, high = draw(amount), draw(amount)
    if low is not None and high is not None and Decimal(low) > Decimal(high):
        low, high = high, low
    return Question(
        days=draw(st.none() | st.sampled_from(DAYS)),
        card_type=draw(st.none() | st.sampled_from(CARD_TYPES)),
        country=draw(st.none() | st.sampled_from(COUNTRIES)),
        min_amount=low,
        max_amount=high,
        order=draw(st.sampled_from(ORDERS)),
    )


# Values that other programs may have stored in any field; further below, values for particular fields.
_ODD_VALUES: list[object] = [
    None,
    True,
    7,
    2**53 + 1,
    1.5,
    math.nan,
    -math.inf,
    Decimal128("12.50"),
    datetime(2026, 1, 1, tzinfo=UTC),
]
_ODD_VALUES += ["", "7", '",', "\\", "\x1f", "\\u001f", "\u2028\x7f", b"7", {"a": 1}, Code("7"), ObjectId("0" * 24)]
_ODD_IDS = st.integers(0, 10**9) | st.builds(ObjectId) | st.uuids(version=4).map(lambda each: Code(str(each)))
_ODD_DATES = [
    0,
    -1,
    253_402_300_799_999,
    253_402_300_800_000,
    -62_135_596_800_000,
    -62_135_596_800_001,
    2**63 - 1,
    1e12,
]
_ODD_AMOUNTS = [-0.0, 1e15, 1e16, 1e-5, 5e-324, 0.1 + 0.2, 10**15, -3, Decimal128("1E+20"), Decimal128("NaN")]
_ODD_AMOUNTS += [Decimal128("sNaN")]
_ODD_BY_KEY: dict[str, list[object]] = {"date": [*_ODD_DATES, *_ODD_VALUES], "amount": [*_ODD_AMOUNTS, *_ODD_VALUES]}


@st.composite
def odd_documents(draw: st.DrawFn, ordinary: st.SearchStrategy[list[Document]]) -> list[Document]:
    """Lists of documents as other programs may have stored them: fields missing or holding the wrong type."""
    found = [dict(document) for document in draw(ordinary)]
    for document in found if draw(st.booleans()) else []:
        if draw(st.integers(0, 3)) == 0:
            key = draw(st.sampled_from(FIELDS))
            if key == "_id":
                odd = draw(_ODD_IDS)
                if odd not in (each["_id"] for each in found):
                    document[key] = odd
            elif draw(st.integers(0, 3)) == 0:
                del document[key]
            else:
                document[key] = draw(st.sampled_from(_ODD_BY_KEY.get(key, _ODD_VALUES)))
    return found


# Variables of the operations drawn by `operations`; `$unset` is left to its default.
SWITCHES = {"on": True, "off": False}
_CONDITIONS = ["", "", "", "", *(f" @{name}(if: {value})" for name in ("skip", "include") for value in ("$on", "$off"))]
_CONDITIONS += [
    " @skip(if: false)",
    " @include(if: false)",
    " @include(if: $on) @skip(if: $off)",
    " @include(if: $unset)",
]
_LEAVES = ["__typename", "id", *FIELDS[1:]]
_PAGE_INFO = ["__typename", "hasNextPage", "hasPreviousPage", "startCursor", "endCursor"]


@st.composite
def operations(draw: st.DrawFn) -> str:
    """Operations on `transactions` in many forms: aliases, fragments, directives, variables and repeated selections."""
    fragments: list[str] = []

    def select(kind: str, leaves: list[str], objects: dict[str, Callable[[], str]]) -> str:
        parts = []
        for name in draw(st.lists(st.sampled_from([*leaves, *objects, *objects]), min_size=1, max_size=6)):
            alias = draw(st.sampled_from(["", "", "", f"{name}1: ", f"{name}2: "])).lstrip("_")
            text = alias + name + draw(st.sampled_from(_CONDITIONS)) + (objects[name]() if name in objects else "")
            match draw(st.integers(0, 9)):
                case 0:
                    text = f"... on {kind}{draw(st.sampled_from(_CONDITIONS))} {{ {text} }}"
                case 1:
                    text = f"...{draw(st.sampled_from(_CONDITIONS))} {{ {text} {text} }}"
                case 2:
                    fragments.append(f"fragment F{len(fragments)} on {kind} {{ {text} }}")
                    text = f"...F{len(fragments) - 1}{draw(st.sampled_from(_CONDITIONS))}"
            parts.append(text)
        return " { " + " ".join(parts) + " }"

    def select_node() -> str:
        return select("Transaction", _LEAVES, {})

    def select_edge() -> str:
        return select("TransactionEdge", ["__typename", "cursor"], {"node": select_node})

    def select_page_info() -> str:
        return select("PageInfo", _PAGE_INFO, {})

    objects = {"nodes": select_node, "edges": select_edge, "pageInfo": select_page_info}
    lists = [
        f"list{number}: transactions({draw(st.sampled_from(['first', 'last']))}: {draw(st.integers(0, 45))}, "
        f"orderBy: {draw(st.sampled_from(ORDERS))})"
        + select("TransactionConnection", ["__typename", "totalCount"], objects)
        for number in range(draw(st.integers(1, 2)))
    ]
    head = "query ($on: Boolean!, $off: Boolean! = false, $unset: Boolean = true) { "
    return head + " ".join(lists) + " } " + " ".join(fragments)
