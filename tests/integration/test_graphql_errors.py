"""Bad GraphQL input gets clear errors of one shape, never a failure."""

import gzip
import json
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from database.cursor import Position, encode_cursor
from gateway.problems import PROBLEMS
from tests.problem import check_problem

fuzz = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def ask(client: httpx.Client, query: str, **variables: object) -> dict[str, Any]:
    """Return the first error of an operation, after checking its shape and its status in both media types."""
    body = {"query": query, "variables": variables}
    modern = client.post("/graphql", json=body, headers={"Accept": "application/graphql-response+json"})
    legacy = client.post("/graphql", json=body)
    error: dict[str, Any] = legacy.json()["errors"][0]
    problem = PROBLEMS[error["extensions"]["code"]]
    assert error["extensions"].keys() == {"code", "request_id"}
    assert modern.json()["errors"][0]["extensions"]["code"] == problem.code
    assert modern.status_code == problem.status
    assert legacy.status_code == 200
    assert modern.json().get("data") is None
    return error


CURSOR = encode_cursor("AMOUNT_ASC", Position(1.0, "id"))
BAD_OPERATIONS = [
    ("{ transactions(filter: {days: -1}) { totalCount } }", "INVALID_DAYS", "days is '-1'"),
    ("{ transactions(filter: {days: 36501}) { totalCount } }", "INVALID_DAYS", "too large"),
    ("{ transactions(filter: {days: 1.5}) { totalCount } }", "GRAPHQL_VALIDATION_FAILED", "1.5"),
    (f"{{ transactions(filter: {{days: {10**30}}}) {{ totalCount }} }}", "GRAPHQL_VALIDATION_FAILED", "Int"),
    ('{ transactions(filter: {minAmount: "NaN"}) { totalCount } }', "INVALID_AMOUNT", "minAmount"),
    ("{ transactions(filter: {minAmount: 1e400}) { totalCount } }", "INVALID_AMOUNT", "minAmount"),
    ("{ transactions(filter: {minAmount: 1e999999999}) { totalCount } }", "INVALID_AMOUNT", "minAmount"),
    ('{ transactions(filter: {maxAmount: "$gt"}) { totalCount } }', "INVALID_AMOUNT", "$gt"),
    ("{ transactions(filter: {maxAmount: [1]}) { totalCount } }", "INVALID_AMOUNT", "decimal"),
    *(
        (f'{{ transactions(filter: {{maxAmount: "{amount}"}}) {{ totalCount }} }}', "INVALID_AMOUNT", "decimal")
        for amount in ("1_0", " 1 ", "\N{ARABIC-INDIC DIGIT FIVE}", "+1", ".5", "")
    ),
    ('{ transactions(filter: {minAmount: "2", maxAmount: "1"}) { totalCount } }', "INVALID_AMOUNT", "minAmount is 2"),
    ('{ transactions(filter: {country: "X"}) { totalCount } }', "INVALID_COUNTRY", "country"),
    ('{ transactions(filter: {cardType: "a\\u0000b"}) { totalCount } }', "INVALID_CARD_TYPE", "cardType"),
    ('{ transactions(filter: {cardNumber: "4111"}) { totalCount } }', "GRAPHQL_VALIDATION_FAILED", "cardNumber"),
    ("{ transactions(first: -1) { totalCount } }", "INVALID_PAGE", "first is -1"),
    ("{ transactions(first: 10001) { totalCount } }", "INVALID_PAGE", "first is 10001"),
    ("{ transactions(last: 10001) { totalCount } }", "INVALID_PAGE", "last is 10001"),
    ("{ transactions(first: 1, last: 1) { totalCount } }", "INVALID_PAGE", "both"),
    ('{ transactions(after: "nonsense") { nodes { id } } }', "INVALID_CURSOR", "after"),
    (f'{{ transactions(before: "{CURSOR[:-2]}") {{ nodes {{ id }} }} }}', "INVALID_CURSOR", "before"),
    (f'{{ transactions(after: "{CURSOR}") {{ nodes {{ id }} }} }}', "INVALID_CURSOR", "AMOUNT_ASC"),
    ("{ nothing }", "GRAPHQL_VALIDATION_FAILED", "nothing"),
    ("{", "GRAPHQL_PARSE_FAILED", "Syntax Error"),
    ("query a { __typename } query b { __typename }", "GRAPHQL_OPERATION_NOT_FOUND", "a, b"),
    ("{ " + " ".join(f"a{i}: __typename" for i in range(600)) + " }", "TOO_MANY_ALIASES", "aliases"),
    ("{ " + "__typename " * 1_000 + "}", "TOO_MANY_ALIASES", "repeats"),
    ("{ " + " ".join(f"a{i}: __typename" for i in range(1_000)) + " }", "QUERY_TOO_LONG", "tokens"),
    ("{ " + "x " * 20_000 + "}", "QUERY_TOO_LONG", "tokens"),
    ("{ transactions { nodes " * 200 + "}" * 400, "QUERY_TOO_DEEP", "deep"),
    ("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }", "QUERY_TOO_DEEP", "fragment"),
    (
        "{ ...f0 }"
        + "".join(f"fragment f{i} on Query {{ ...f{i + 1} ...f{i + 1} }}" for i in range(25))
        + "fragment f25 on Query { a: __typename }",
        "TOO_MANY_ALIASES",
        "aliases",
    ),
    ("mutation { drop }", "GRAPHQL_VALIDATION_FAILED", "mutation"),
    # Each fragment is used twice by earlier ones: expanded, there are more fields than any machine could hold.
    (
        "{ transactions(first: 0) { nodes { ...f0 } } }"
        + "".join(f"fragment f{i} on Transaction {{ ...f{i + 1} ...f{i + 2} }}" for i in range(150))
        + "fragment f150 on Transaction { id } fragment f151 on Transaction { nothing }",
        "GRAPHQL_VALIDATION_FAILED",
        "nothing",
    ),
]


@pytest.mark.parametrize(("query", "code", "named"), BAD_OPERATIONS, ids=lambda value: str(value)[:40])
def test_bad_graphql_input_is_named(client: httpx.Client, query: str, code: str, named: str) -> None:
    """A bad document or argument gets its error code and a message that names the fault."""
    error = ask(client, query)
    assert error["extensions"]["code"] == code
    assert named in error["message"]
    assert len(error["message"]) < 700


@pytest.mark.parametrize("amount", ["", "abc", "NaN", "1e3", "1_0", " 1", "+1", "1,5", "1" * 16, "1" * 50, "1" * 5_000])
def test_both_styles_say_the_same_of_an_amount(client: httpx.Client, amount: str) -> None:
    """An amount that REST refuses is refused by GraphQL in the same words, as literal and as variable."""
    told = check_problem(client.get("/transactions/90", params={"minAmount": amount}))
    query = "query ($amount: Decimal) { transactions(filter: {minAmount: $amount}) { totalCount } }"
    literal = query.replace("query ($amount: Decimal) ", "").replace("$amount", json.dumps(amount))
    for error in (ask(client, query, amount=amount), ask(client, literal)):
        assert error["extensions"]["code"] == told["code"] == "INVALID_AMOUNT"
        assert error["message"] == told["detail"]


@pytest.mark.parametrize("amount", ["true", "{a: 1}", "[1]", "TEN"])
def test_an_amount_that_is_no_number_is_pointed_at(client: httpx.Client, amount: str) -> None:
    """A literal of another kind is refused with its location in the document, as no field name is known there."""
    query = f'{{ transactions(filter: {{country: "US", minAmount: {amount}}}) {{ totalCount }} }}'
    error = ask(client, query)
    assert error["extensions"]["code"] == "INVALID_AMOUNT"
    assert error["locations"] == [{"line": 1, "column": query.index(amount) + 1}]


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        ('percentiles: ["median"]', "INVALID_PERCENTILE", "percentiles holds 'median'"),
        ('into: "EUR", rates: [{currency: "USD", rate: "much"}]', "INVALID_RATE", "The rate of USD is 'much'"),
    ],
)
def test_a_number_that_is_none_is_named_as_what_it_should_be(
    client: httpx.Client, arguments: str, code: str, named: str
) -> None:
    """A non-numeric percentile or rate gets its own error code, not that of amounts."""
    error = ask(client, f"{{ transactionSummary({arguments}) {{ omitted }} }}")
    assert error["extensions"]["code"] == code
    assert named in error["message"]


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("Int", 10**30, "GRAPHQL_VARIABLES_INVALID"),
        ("Int", "ninety", "GRAPHQL_VARIABLES_INVALID"),
        ("Int!", None, "GRAPHQL_VARIABLES_INVALID"),
        ("Int", -1, "INVALID_DAYS"),
    ],
)
def test_bad_variables_are_named(client: httpx.Client, kind: str, value: object, code: str) -> None:
    """A variable of a wrong type or value gets its error code."""
    error = ask(
        client, f"query ($days: {kind}) {{ transactions(filter: {{days: $days}}) {{ totalCount }} }}", days=value
    )
    assert error["extensions"]["code"] == code
    assert "days" in error["message"]


@pytest.mark.parametrize(
    "query",
    [
        "query ($v: Boolean = true) { transactions { nodes @include(if: $v) { id } } }",
        "query ($v: SummaryKey = DAY) { transactionSummary(groupBy: [$v]) { omitted } }",
        'query ($v: String = "EUR") { transactionSummary(into: "USD", rates: [{currency: $v, rate: 1}]) { omitted } }',
    ],
)
def test_a_null_that_only_its_default_would_replace_is_named(client: httpx.Client, query: str) -> None:
    """A variable accepted at a non-null position because of its default is named when it is null during execution."""
    error = ask(client, query, v=None)
    assert error["extensions"]["code"] == "GRAPHQL_VARIABLES_INVALID"
    assert "'$v'" in error["message"]


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        (b"", {}, "GRAPHQL_REQUEST_INVALID"),
        (b"{", {}, "GRAPHQL_REQUEST_INVALID"),
        (b"[]", {}, "GRAPHQL_REQUEST_INVALID"),
        (b'[{"query": "{ __typename }"}]', {}, "GRAPHQL_REQUEST_INVALID"),
        (b"\xff", {}, "GRAPHQL_REQUEST_INVALID"),
        (b"[" * 50_000, {}, "GRAPHQL_REQUEST_INVALID"),
        (b"{}", {}, "GRAPHQL_REQUEST_INVALID"),
        (b'{"query": ""}', {}, "GRAPHQL_REQUEST_INVALID"),
        (b'{"query": 1}', {}, "GRAPHQL_REQUEST_INVALID"),
        (b'{"query": "{ __typename }", "variables": []}', {}, "GRAPHQL_REQUEST_INVALID"),
        (b'{"query": "{ __typename }", "operationName": 1}', {}, "GRAPHQL_REQUEST_INVALID"),
        (b'{"query": "{ __typename }", "extensions": 1}', {}, "GRAPHQL_REQUEST_INVALID"),
        (b'{"query": "' + b"x" * 200_000 + b'"}', {}, "BODY_TOO_LARGE"),
        (b"{}", {"Content-Type": "text/plain"}, "UNSUPPORTED_MEDIA_TYPE"),
        (b"{}", {"Content-Type": "application/x-www-form-urlencoded"}, "UNSUPPORTED_MEDIA_TYPE"),
        (b"{}", {"Content-Type": "application/json; charset=latin-1"}, "UNSUPPORTED_MEDIA_TYPE"),
        (
            gzip.compress(b'{"query": "{ __typename }"}', mtime=0),
            {"Content-Encoding": "gzip"},
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        (b"{}", {"Accept": "text/css"}, "NOT_ACCEPTABLE"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_graphql_requests_are_named(client: httpx.Client, body: bytes, headers: dict[str, str], code: str) -> None:
    """A request that is not valid GraphQL over HTTP gets its error code, in GraphQL's shape."""
    response = client.post("/graphql", content=body, headers={"Content-Type": "application/json", **headers})
    error = response.json()["errors"][0]
    assert error["extensions"]["code"] == code
    assert response.status_code == PROBLEMS[code].status


@pytest.mark.parametrize(
    ("query", "name", "named"),
    [
        ("{ __typename }", "x", "'x'"),
        ("query a { __typename } query b { __typename }", "x", "'x'"),
        ("fragment a on Query { __typename }", None, "holds no operation"),
    ],
)
def test_an_operation_that_is_not_there_is_told_as_a_result(
    client: httpx.Client, query: str, name: str | None, named: str
) -> None:
    """A well-formed request whose document lacks the operation gets 200 as JSON, 400 in GraphQL's own media type."""
    for accept, status in (("application/json", 200), ("application/graphql-response+json", 400)):
        body = {"query": query, "operationName": name}
        response = client.post("/graphql", json=body, headers={"Accept": accept})
        assert (response.status_code, response.headers["content-type"]) == (status, f"{accept}; charset=utf-8")
        error = response.json()["errors"][0]
        assert error["extensions"]["code"] == "GRAPHQL_OPERATION_NOT_FOUND"
        assert named in error["message"]


@pytest.mark.parametrize("variables", ["", "null", "{}", '{"days": 90}'])
def test_a_get_may_leave_its_variables_empty(client: httpx.Client, variables: str) -> None:
    """GraphQL by GET treats missing, empty and null variables alike."""
    query = "query ($days: Int) { transactions(filter: {days: $days}) { totalCount } }"
    answer = client.get("/graphql", params={"query": query, "variables": variables})
    assert answer.json() == {"data": {"transactions": {"totalCount": 0}}}


@pytest.mark.parametrize("name", ["query", "documentId", "variables", "operationName", "extensions"])
def test_a_get_gives_each_parameter_once(client: httpx.Client, name: str) -> None:
    """A repeated GET parameter is refused; none of its values is used."""
    address = f"/graphql?query={quote('{ __typename }')}&{name}=&{name}="
    response = client.get(address)
    assert response.status_code == 400
    assert response.json()["errors"][0]["message"] == f"{name} is given more than once; give it once."


def test_a_batch_is_told_that_there_are_none(client: httpx.Client) -> None:
    """A batch of operations in an array is refused with a message that says so."""
    response = client.post("/graphql", json=[{"query": "{ __typename }"}] * 2)
    assert response.status_code == 400
    assert "batches are not accepted" in response.json()["errors"][0]["message"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_graphql_refuses_other_methods(client: httpx.Client, method: str) -> None:
    """GraphQL accepts only GET, HEAD and POST."""
    response = client.request(method, "/graphql")
    assert response.json()["errors"][0]["extensions"]["code"] == "METHOD_NOT_ALLOWED"
    assert response.headers["allow"] == "GET, HEAD, POST"


def test_a_mutation_by_get_is_told_the_method(client: httpx.Client) -> None:
    """A mutation by GET gets 405, which names the method to use, in the Allow header too."""
    response = client.get("/graphql", params={"query": "mutation { drop }"})
    assert response.status_code == 405
    assert response.json()["errors"][0]["extensions"]["code"] == "METHOD_NOT_ALLOWED"
    assert response.headers["allow"] == "POST"


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@fuzz
@given(
    filter_values=st.dictionaries(
        st.sampled_from(["days", "cardType", "country", "minAmount", "maxAmount"]), json_values, max_size=3
    ),
    page_values=st.dictionaries(
        st.sampled_from(["first", "after", "last", "before", "order"]), json_values, max_size=3
    ),
)
def test_any_variables_are_answered_or_explained(
    client: httpx.Client, filter_values: dict[str, object], page_values: dict[str, object]
) -> None:
    """Whatever the variables hold, the response is a result or a client error."""
    query = """query ($filter: TransactionFilter, $order: TransactionOrder,
        $first: Int, $after: String, $last: Int, $before: String) {
      transactions(filter: $filter, orderBy: $order, first: $first, after: $after, last: $last, before: $before) {
        totalCount nodes { id } } }"""
    body = json.dumps({"query": query, "variables": {"filter": filter_values, **page_values}})
    response = client.post("/graphql", content=body, headers={"Content-Type": "application/json"})
    for error in response.json().get("errors", ()):
        assert PROBLEMS[error["extensions"]["code"]].status < 500
