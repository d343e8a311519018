"""REST, GraphQL and a plain-Python reference agree on every query."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schema.context import read_clock_ms
from tests import strategies
from tests.conftest import ServedDatabase
from tests.reference import KEYS, NODE, Document, Question, select, write_cell

# The data keeps an hour away from all window boundaries, so the time between this moment and a request does not matter.
NOW_MS = read_clock_ms()
documents = strategies.documents(strategies.inner_offsets, NOW_MS)
asks = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

GRAPHQL = f"""
query Ask(
  $filter: TransactionFilter, $order: TransactionOrder, $first: Int, $after: String, $last: Int, $before: String
) {{
  transactions(filter: $filter, orderBy: $order, first: $first, after: $after, last: $last, before: $before) {{
    totalCount
    nodes {{ {NODE} }}
    edges {{ cursor node {{ id }} }}
    pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
  }}
}}
"""


def ask_graphql(client: httpx.Client, question: Question, **page: object) -> dict[str, Any]:
    variables = {"filter": question.write_filter(), "order": question.order, **page}
    answer = client.post("/graphql", json={"query": GRAPHQL, "variables": variables}).json()
    assert "errors" not in answer
    connection: dict[str, Any] = answer["data"]["transactions"]
    return connection


def as_graphql(document: Document) -> dict[str, Any]:
    """Return a document as GraphQL serves it."""
    seconds, milliseconds = divmod(document["date"], 1000)
    instant = datetime.fromtimestamp(seconds, UTC).strftime(f"%Y-%m-%dT%H:%M:%S.{milliseconds:03}Z")
    named = {("id" if key == "_id" else key): document[key] for key in KEYS}
    return {**named, "date": instant, "amount": repr(document["amount"])}


def ask_rest(client: httpx.Client, question: Question, accept: str = "*/*") -> httpx.Response:
    """Send the query by parameters; REST always has a window and is newest first."""
    path, headers = f"/transactions/{question.days}", {"Accept": accept}
    return client.get(path, params=question.write_parameters(), headers=headers).raise_for_status()


@asks
@given(found=documents, question=strategies.questions())
def test_graphql_agrees(
    served: ServedDatabase, client: httpx.Client, found: list[Document], question: Question
) -> None:
    """GraphQL returns the reference's rows, in order, with its count."""
    served.fill(found)
    expected = select(found, question, NOW_MS)
    answer = ask_graphql(client, question, first=1000)
    assert answer["nodes"] == [as_graphql(document) for document in expected]
    assert [edge["node"]["id"] for edge in answer["edges"]] == [document["_id"] for document in expected]
    assert answer["totalCount"] == len(expected)


@asks
@given(found=documents, question=strategies.questions(), days=st.sampled_from(strategies.DAYS))
def test_rest_agrees_in_every_format(
    served: ServedDatabase, client: httpx.Client, found: list[Document], question: Question, days: int
) -> None:
    """REST returns the reference's rows as JSON, NDJSON and CSV."""
    served.fill(found)
    asked = replace(question, days=days, order="DATE_DESC")
    expected = select(found, asked, NOW_MS)
    assert ask_rest(client, asked).json() == expected
    # As bytes: text may hold Unicode line separators, which end no NDJSON line.
    lines = ask_rest(client, asked, "application/x-ndjson").content.splitlines()
    assert [json.loads(line) for line in lines] == expected
    text = ask_rest(client, asked, "text/csv").content.decode()
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert read == [list(KEYS), *([write_cell(document[key]) for key in KEYS] for document in expected)]


@asks
@given(found=documents, days=st.sampled_from(strategies.DAYS), card_type=st.sampled_from(strategies.CARD_TYPES))
def test_the_count_path_agrees(
    served: ServedDatabase, client: httpx.Client, found: list[Document], days: int, card_type: str
) -> None:
    """The card path returns the reference's count, whatever the case and the characters of the card type."""
    served.fill(found)
    expected = len(select(found, Question(days=days, card_type=card_type), NOW_MS))
    path = f"/transactions/{days}/card/{quote(card_type, safe='')}"
    assert client.get(path).json() == {"count": expected}
    assert ask_graphql(client, Question(days=days, card_type=card_type))["totalCount"] == expected


@asks
@given(found=documents, days=st.sampled_from(strategies.DAYS), country=st.sampled_from(strategies.COUNTRIES))
def test_the_country_path_agrees(
    served: ServedDatabase, client: httpx.Client, found: list[Document], days: int, country: str
) -> None:
    """The country path returns the reference's rows, whatever the case of the code."""
    served.fill(found)
    expected = select(found, Question(days=days, country=country), NOW_MS)
    assert client.get(f"/transactions/{days}/country/{country}").json() == expected


@asks
@given(found=documents, days=st.sampled_from(strategies.DAYS), ends=st.tuples(strategies.amounts, strategies.amounts))
def test_the_amount_path_agrees(
    served: ServedDatabase, client: httpx.Client, found: list[Document], days: int, ends: tuple[str, str]
) -> None:
    """The amount path returns the reference's rows, both ends included."""
    served.fill(found)
    low, high = sorted(ends, key=Decimal)
    expected = select(found, Question(days=days, min_amount=low, max_amount=high), NOW_MS)
    assert client.get(f"/transactions/{days}/amount/{low}/{high}").json() == expected


@asks
@given(found=documents, question=strategies.questions(), size=st.integers(1, 7))
def test_pages_join_to_the_whole_in_both_directions(
    served: ServedDatabase, client: httpx.Client, found: list[Document], question: Question, size: int
) -> None:
    """Pages forward and backward hold every row once, in order, and report when they are at an end."""
    served.fill(found)
    expected = [document["_id"] for document in select(found, question, NOW_MS)]
    forward: list[str] = []
    after: str | None = None
    while True:
        page = ask_graphql(client, question, first=size, after=after)
        assert page["pageInfo"]["hasPreviousPage"] is bool(forward)
        forward += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    backward: list[str] = []
    before: str | None = None
    while True:
        page = ask_graphql(client, question, last=size, before=before)
        assert page["pageInfo"]["hasNextPage"] is bool(backward)
        backward = [node["id"] for node in page["nodes"]] + backward
        before = page["pageInfo"]["startCursor"]
        if not page["pageInfo"]["hasPreviousPage"]:
            break
    assert forward == expected
    assert backward == expected


@asks
@given(found=documents, question=strategies.questions(), ends=st.tuples(st.integers(0, 39), st.integers(0, 39)))
def test_a_page_between_two_cursors_is_the_slice_between_them(
    served: ServedDatabase, client: httpx.Client, found: list[Document], question: Question, ends: tuple[int, int]
) -> None:
    """With both `after` and `before`, a page holds exactly the rows between them."""
    served.fill(found)
    edges = ask_graphql(client, question, first=1000)["edges"]
    low, high = (min(end, len(edges) - 1) for end in sorted(ends))
    if not edges:
        return
    page = ask_graphql(client, question, first=1000, after=edges[low]["cursor"], before=edges[high]["cursor"])
    assert [node["id"] for node in page["nodes"]] == [edge["node"]["id"] for edge in edges[low + 1 : high]]


@asks
@given(found=documents, question=strategies.questions(), days=st.sampled_from(strategies.DAYS), size=st.integers(1, 7))
def test_rest_pages_follow_their_links(
    served: ServedDatabase, client: httpx.Client, found: list[Document], question: Question, days: int, size: int
) -> None:
    """Following rel="next" from a limited list yields every row once, in order, and then no link."""
    served.fill(found)
    asked = replace(question, days=days, order="DATE_DESC")
    url: str | None = str(ask_rest(client, asked).url.copy_set_param("limit", size))
    rows: list[Document] = []
    while url:
        page = client.get(url).raise_for_status()
        assert len(page.json()) <= size
        rows += page.json()
        url = page.links.get("next", {}).get("url")
    assert rows == select(found, asked, NOW_MS)


@asks
@given(found=documents)
def test_a_transaction_is_found_by_its_id(served: ServedDatabase, client: httpx.Client, found: list[Document]) -> None:
    """`transaction(id:)` returns the document with that id, and null for any other id."""
    served.fill(found)
    query = "query ($id: ID!) { transaction(id: $id) { id vendor amount } }"
    for document in found[:3]:
        answer = client.post("/graphql", json={"query": query, "variables": {"id": document["_id"]}}).json()
        expected = {"id": document["_id"], "vendor": document["vendor"], "amount": repr(document["amount"])}
        assert answer == {"data": {"transaction": expected}}
    missing = client.post("/graphql", json={"query": query, "variables": {"id": "no such id"}}).json()
    assert missing == {"data": {"transaction": None}}
