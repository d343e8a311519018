"""Each GraphQL limit holds exactly, against a running gateway: n is accepted, n + 1 is not."""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

import httpx
import orjson
import pytest
from graphql import get_introspection_query
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pymongo import AsyncMongoClient

from database.environment import DatabaseEnvironment
from database.query import FIELDS
from database.repository import TransactionRepository
from gateway.app import create_app
from gateway.problems import PROBLEMS
from gateway.settings import load_settings
from tests.conftest import ServedDatabase
from tests.process import run_gateway
from tests.recorder import CommandRecorder
from tests.waiting import find_free_port

MOST = {"DOCUMENT_BYTES": 600, "TOKENS": 30, "DEPTH": 4, "ALIASES": 3, "DIRECTIVES": 2, "ROWS": 150}
VARIABLES: dict[str, Any] = {f"GATEWAY_MAX_{name}": str(most) for name, most in MOST.items()} | {
    "GATEWAY_INTROSPECTION": "off"
}
ACCEPT = {"Accept": "application/graphql-response+json"}
of_a_gateway = settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)


@pytest.fixture(scope="module")
def client(served: ServedDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a gateway with low limits and introspection off."""
    served.collection.delete_many({})
    folder = tmp_path_factory.mktemp("limited")
    with (
        run_gateway(served.owner, find_free_port(), folder, **VARIABLES) as gateway,
        httpx.Client(base_url=gateway.url, headers=ACCEPT) as client,
    ):
        yield client


def find_code(response: httpx.Response) -> str | None:
    """Return the code of a response's only error, or None; checks that the status matches the code."""
    errors = response.json().get("errors")
    if errors is None:
        assert response.status_code == 200
        return None
    (error,) = errors
    code: str = error["extensions"]["code"]
    assert response.status_code == PROBLEMS[code].status
    return code


def nest(depth: int) -> str:
    """Return nested fields: depth 4 is the deepest that the schema allows, deeper is invalid in any schema."""
    fields = ["transactions", "edges", "node", "id", *("more" for _ in range(4, depth))]
    return "".join(f"{{ {field} " for field in fields[:depth]) + "}" * depth


def list_fields(count: int) -> str:
    return " ".join(islice(cycle(set(FIELDS) - {"_id"}), count))


BOUNDS: list[tuple[str, str, Callable[[int], str]]] = [
    ("DOCUMENT_BYTES", "DOCUMENT_TOO_LARGE", lambda n: "{ __typename } #é" + "x" * (n - 18)),
    ("TOKENS", "QUERY_TOO_LONG", lambda n: f"{{ transactions {{ nodes {{ {list_fields(n - 8)} }} }} }}"),
    ("DEPTH", "QUERY_TOO_DEEP", nest),
    ("ALIASES", "TOO_MANY_ALIASES", lambda n: "{" + "".join(f"a{i}: __typename " for i in range(n)) + "}"),
    ("DIRECTIVES", "TOO_MANY_DIRECTIVES", lambda n: "{" + "__typename @include(if: true) " * n + "}"),
    ("ROWS", "TOO_MANY_ROWS", lambda n: f"{{ transactions(last: {n}) {{ nodes {{ id }} }} }}"),
]


@pytest.mark.parametrize(("limit", "code", "build"), BOUNDS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_limit_holds_at_its_bound(client: httpx.Client, limit: str, code: str, build: Callable[[int], str]) -> None:
    """A document exactly at the limit is accepted, by POST and GET; one beyond it is refused with its code."""
    fits, exceeds = build(MOST[limit]), build(MOST[limit] + 1)
    assert find_code(client.post("/graphql", json={"query": fits})) is None
    assert find_code(client.get("/graphql", params={"query": fits})) is None
    assert find_code(client.post("/graphql", json={"query": exceeds})) == code
    assert find_code(client.get("/graphql", params={"query": exceeds})) == code


def test_batches_are_refused(client: httpx.Client) -> None:
    """An array of operations, even of one, is not a valid request."""
    for count in (0, 1, 2):
        response = client.post("/graphql", json=[{"query": "{ __typename }"}] * count)
        assert find_code(response) == "GRAPHQL_REQUEST_INVALID"


@dataclass(frozen=True)
class List:
    """A list in an operation.

    Attributes:
        page: its page argument, or empty.
        variables: the values of the variables that the argument uses.
        rows: how many rows the argument requests.
        selection: the fields selected on it.
        condition: a directive.
        lists: how often its rows are returned; 1 if they must be read but are not returned, 0 if they are not read.
    """

    page: str
    variables: dict[str, int]
    rows: int
    selection: str
    condition: str
    lists: int

    def render(self, place: int) -> str:
        argument = self.page and f"({self.page})"
        return f"l{place}: transactions{argument} {self.condition} {{ {self.selection} }}"


SELECTIONS = {
    "nodes { id }": 1,
    "edges { cursor }": 1,
    "nodes { id } edges { node { amount } }": 2,
    "nodes { id } ...f ... { nodes { amount } }": 1,
    "a: nodes { id } b: nodes { id } nodes @skip(if: true) { id }": 2,
    "edges { a: node { id } b: node { id } node @skip(if: true) { id } }": 2,
    "edges { ...e ... { node { amount } } } a: edges { cursor }": 3,
    "totalCount pageInfo { hasNextPage }": 1,
    "...f @include(if: true)": 1,
    "... @skip(if: $no) { ... { nodes { __typename } } }": 1,
    "...f @skip(if: true) ...f": 1,
    "totalCount": 0,
    "__typename": 0,
    "pageInfo { __typename }": 0,
    "totalCount nodes @skip(if: true) { id }": 0,
    "__typename ...f @include(if: $no)": 0,
    "__typename ... @skip(if: $yes) { edges { cursor } }": 0,
}
pages = st.integers(0, 120).flatmap(
    lambda rows: st.sampled_from(
        [
            (f"first: {rows}", {}, rows),
            (f"last: {rows}", {}, rows),
            ("first: $given", {"given": rows}, rows),
            ("last: $given, first: null", {"given": rows}, rows),
            ("first: $defaulted", {}, 40),
            ("", {}, 100),
            ("first: $nothing", {}, 100),
        ]
    )
)
what = st.sampled_from(list(SELECTIONS.items()))
when = st.sampled_from([("", True), ("@skip(if: $yes)", False), ("@include(if: true)", True), ("@skip(if: $no)", True)])


def build_list(page: tuple[str, dict[str, int], int], selected: tuple[str, int], asked: tuple[str, bool]) -> List:
    return List(*page, selected[0], asked[0], lists=selected[1] if asked[1] else 0)


lists = st.builds(build_list, pages, what, when)


@dataclass(frozen=True)
class Asker:
    """Sends requests to the application in this process, so that its commands can be recorded."""

    http: httpx.AsyncClient
    recorder: CommandRecorder

    async def ask(self, query: str, variables: dict[str, object]) -> httpx.Response:
        self.recorder.commands.clear()
        return await self.http.post("/graphql", json={"query": query, "variables": variables}, headers=ACCEPT)


@pytest.fixture
async def asker(reader_environment: DatabaseEnvironment) -> AsyncIterator[Asker]:
    recorder = CommandRecorder()
    variables = {"GATEWAY_MAX_ROWS": str(MOST["ROWS"])}
    app = create_app(load_settings(variables), reader_environment)
    uri = reader_environment.connection_uri
    async with AsyncMongoClient[dict[str, Any]](uri, event_listeners=[recorder]) as client:
        app.state.repository = TransactionRepository(client, reader_environment.database, timeout_ms=10_000)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
            yield Asker(http, recorder)


@of_a_gateway
@example(asked=[List("first: 150", {}, 150, "nodes { id }", "", lists=1)])
@example(asked=[List("", {}, 100, "totalCount", "", lists=0)] * 9)
@example(asked=[List("first: 75", {}, 75, "nodes { id } edges { cursor }", "", lists=2)])
@example(asked=[List("first: 76", {}, 76, "a: nodes { id } b: nodes { id }", "", lists=2)])
@example(asked=[List("first: 76", {}, 76, "edges { a: node { id } b: node { id } }", "", lists=2)])
@given(asked=st.lists(lists, min_size=1, max_size=5))
async def test_rows_are_counted_over_all_lists(asker: Asker, asked: list[List]) -> None:
    """The rows of all lists count together; if they exceed the limit, no query at all is sent."""
    # All lists of a request share the value of its variable.
    given = next((each.variables["given"] for each in asked if each.variables), 0)
    query = (
        "query ($given: Int, $defaulted: Int = 40, $nothing: Int, $yes: Boolean = true, $no: Boolean!) {"
        'one: transaction(id: "x") { id } total: transactions { totalCount } '
        + " ".join(each.render(place) for place, each in enumerate(asked))
        + " u1: transactions(first: $given) @skip(if: $yes) { __typename }"
        + " u2: transactions(first: $defaulted) @include(if: $no) { totalCount ...f }"
        + " u3: transactions(first: $nothing) @include(if: $no) { totalCount }"
        + " u4: transactions(first: $nothing) @include(if: $no) { edges { ...e } } }"
        + " fragment f on TransactionConnection { pageInfo { endCursor } }"
        + " fragment e on TransactionEdge { node { currency } again: node { id } }"
    )
    response = await asker.ask(query, {"given": given, "no": False})
    rows = sum(each.lists * (given if each.variables else each.rows) for each in asked)
    if rows <= MOST["ROWS"]:
        assert find_code(response) is None
        return
    assert find_code(response) == "TOO_MANY_ROWS"
    # A query started but not awaited would be recorded before this one.
    await asker.http.post("/graphql", json={"query": '{ transaction(id: "later") { id } }'})
    assert [command["filter"] for command in asker.recorder.commands] == [{"_id": {"$in": ["later"]}}]


def misspell(name: str, place: int) -> str:
    """Double the letter at an index of a name."""
    return name[: place + 1] + name[place:]


NAMES = [
    ("transactions", "{{ {} {{ totalCount }} }}", None),
    ("totalCount", "{{ transactions {{ {} }} }}", None),
    ("first", "{{ transactions({}: 1) {{ totalCount }} }}", None),
    ("DATE_DESC", "{{ transactions(orderBy: {}) {{ totalCount }} }}", None),
    ("DATE_DESC", "query ($v: TransactionOrder) {{ transactions(orderBy: $v) {{ totalCount }} }}", "{}"),
    ("cardType", '{{ transactions(filter: {{ {}: "Visa" }}) {{ totalCount }} }}', None),
    ("cardType", "query ($v: TransactionFilter) {{ transactions(filter: $v) {{ totalCount }} }}", "{{{}: 1}}"),
    ("TransactionConnection", "{{ transactions {{ ... on {} {{ totalCount }} }} }}", None),
    ("TransactionFilter", "query ($v: {}) {{ transactions(filter: $v) {{ totalCount }} }}", None),
    ("include", "{{ __typename @{}(if: true) }}", None),
]


def ask_misspelt(client: httpx.Client, case: tuple[str, str, str | None], place: int) -> str:
    """Return the response to a document or variable with a misspelt schema name."""
    name, query, variable = case
    wrong = misspell(name, place % len(name))
    value = variable and orjson.loads(variable.format(f'"{wrong}"'))
    response = client.post("/graphql", json={"query": query.format(wrong), "variables": {"v": value}}, headers=ACCEPT)
    assert find_code(response) in {"GRAPHQL_VALIDATION_FAILED", "GRAPHQL_VARIABLES_INVALID"}
    return response.text


@of_a_gateway
@given(case=st.sampled_from(NAMES), place=st.integers(0, 30))
def test_errors_suggest_no_names_where_the_schema_is_not_shown(
    client: httpx.Client, case: tuple[str, str, str | None], place: int
) -> None:
    """With introspection off, errors for misspelt names never contain the right name."""
    text = ask_misspelt(client, case, place)
    assert "Did you mean" not in text
    assert not re.search(rf"\b{case[0]}\b", text)


def test_errors_suggest_names_where_the_schema_is_shown(served: ServedDatabase) -> None:
    """On loopback the same mistakes get suggestions."""
    with httpx.Client(base_url=served.gateway.url) as client:
        # graphql-core suggests no directives.
        assert all("Did you mean" in ask_misspelt(client, case, 3) for case in NAMES if case[0] != "include")


@pytest.mark.parametrize(
    "query",
    [
        "query { __schema { types { name } } }",
        "{ s: __schema { queryType { name } } }",
        '{ __typename __type(name: "Query") { name } }',
        "{ ...f } fragment f on Query { __schema { description } }",
        "query a { __typename } query b { __schema { description } }",
        "{ s: _service { sdl } }",
    ],
)
def test_introspection_is_refused_where_it_is_off(client: httpx.Client, served: ServedDatabase, query: str) -> None:
    """Introspection is refused where it is off, and answered on loopback."""
    body = {"query": query, "operationName": "b" if "query b" in query else None}
    response = client.post("/graphql", json=body)
    assert find_code(response) == "INTROSPECTION_DISABLED"
    assert any(name in response.text for name in ("__schema", "__type", "_service"))
    assert find_code(httpx.post(f"{served.gateway.url}/graphql", json=body, headers=ACCEPT)) is None


def test_typename_is_answered_where_introspection_is_off(client: httpx.Client) -> None:
    """`__typename` works with introspection off, as clients' caches need it."""
    answer = client.post("/graphql", json={"query": "{ __typename transactions { __typename } }"}).json()
    assert answer == {"data": {"__typename": "Query", "transactions": {"__typename": "TransactionConnection"}}}


def test_the_defaults_leave_room_for_introspection(served: ServedDatabase) -> None:
    """graphql-core's full introspection query, as tools send it, is within the default limits."""
    response = httpx.post(f"{served.gateway.url}/graphql", json={"query": get_introspection_query()}, headers=ACCEPT)
    assert find_code(response) is None
