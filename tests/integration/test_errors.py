"""Bad REST input gets a clear problem of one shape, never a server error."""

import time
from urllib.parse import quote, unquote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.problems import PROBLEMS
from tests.conftest import ServedDatabase
from tests.problem import check_problem

fuzz = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


DAYS = ["-5", "1.5", str(10**30), "%20", "ninety", "٩٠", "+1", "1e2", "0x10", "9" * 5_000]
AMOUNTS = ["NaN", "inf", "-Infinity", "1e400", "$gt", "", "1,5", "1_000", "1" * 16, "1" * 5_000, "0x1", "१"]
COUNTRIES = ["X", "12", "U$", "ZZZ", "U S", "USAA", "", "🏦", "u%00"]
CARD_TYPES = ["", "a%00b", "x" * 10_000, "%0A", "Visa%0A", "Vi%0Asa", "Vi%E2%80%8Dsa", "%ff"]
BAD_PATHS = [
    *((f"/transactions/{days}", "INVALID_DAYS", "days") for days in DAYS),
    ("/transactions", "INVALID_DAYS", "days"),
    ("/transactions/", "INVALID_DAYS", "days"),
    ("/transactions//card/Visa", "INVALID_DAYS", "days"),
    *((f"/transactions/90/amount/{amount}/1", "INVALID_AMOUNT", "min") for amount in AMOUNTS),
    *((f"/transactions/90/amount/1/{amount}", "INVALID_AMOUNT", "max") for amount in AMOUNTS),
    ("/transactions/90/amount/9/1", "INVALID_AMOUNT", "min"),
    ("/transactions/90?minAmount=9&maxAmount=1", "INVALID_AMOUNT", "minAmount"),
    *((f"/transactions/90/country/{country}", "INVALID_COUNTRY", "country") for country in COUNTRIES),
    *((f"/transactions/90/card/{card_type}", "INVALID_CARD_TYPE", "cardType") for card_type in CARD_TYPES),
    *((f"/transactions/90?card={card_type}", "INVALID_CARD_TYPE", "card") for card_type in ("", "Vis%e1")),
    *((f"/transactions/90?limit={limit}", "INVALID_PAGE", "limit") for limit in ("0", "-1", "10001", "many", "")),
    *((f"/transactions/90?after={cursor}", "INVALID_CURSOR", "after") for cursor in ("", "x", "é", "a" * 2_000)),
    *((f"/transactions/90?after={row}", "INVALID_CURSOR", "`date,_id` of a row") for row in ("17,", ",id", "day,id")),
    ("/transactions/90?contry=US", "INVALID_PARAMETER", "contry"),
    ("/transactions/90?card=Visa&card=Amex", "INVALID_PARAMETER", "card"),
    ("/transactions/90/card/Visa?limit=1", "INVALID_PARAMETER", "limit"),
    ("/nothing", "NOT_FOUND", "/transactions/{days}"),
    ("/transactions/90/card/Visa/", "NOT_FOUND", "slash"),
    ("/transactions/90/card/Visa/country/US", "NOT_FOUND", "/transactions/{days}?card=…&country=…"),
    ("/transactions/90/country/US/", "NOT_FOUND", "remove the slash"),
    ("/transactions/90/", "NOT_FOUND", "remove the slash"),
    ("/transactions/90/country/US//", "NOT_FOUND", "/transactions/{days}"),
    ("/transactions/90/summary%0A", "NOT_FOUND", "/transactions/{days}"),
    ("/health/live%0A", "NOT_FOUND", "/transactions/{days}"),
]


@pytest.mark.parametrize(("path", "code", "named"), BAD_PATHS, ids=lambda value: str(value)[:40])
def test_bad_rest_input_is_named(client: httpx.Client, path: str, code: str, named: str) -> None:
    """A bad path or parameter gets its error code and a detail that names the field."""
    problem = check_problem(client.get(path))
    assert problem["code"] == code
    assert named in problem["detail"]
    assert len(problem["detail"]) < 700


@pytest.mark.parametrize("card_type", ["a/b", "$ne", "a.b", "😀", "x" * 64, "'; drop", "{}", "%"])
def test_odd_card_types_are_only_names(client: httpx.Client, card_type: str) -> None:
    """Slashes, dots, dollar signs and emoji in a card type are literal text that matches nothing."""
    assert client.get(f"/transactions/90/card/{quote(card_type, safe='')}").json() == {"count": 0}


def test_a_slash_within_a_card_type_is_part_of_its_name(served: ServedDatabase, client: httpx.Client) -> None:
    """A card type that contains a slash is counted when the slash is written %2F."""
    served.collection.insert_one({"_id": "1", "date": time.time_ns() // 1_000_000 - 1_000, "cardType": "a/b"})
    try:
        assert client.get("/transactions/1/card/A%2FB").json() == {"count": 1}
    finally:
        served.collection.delete_many({})


@pytest.mark.parametrize("country", ["US", "us", "USA", "usa"])
def test_codes_of_two_and_three_letters_are_taken_in_any_case(client: httpx.Client, country: str) -> None:
    """US, us, USA and usa are one country."""
    assert client.get(f"/transactions/0/country/{country}").is_success


@fuzz
@given(segments=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), min_size=1, max_size=5))
def test_any_path_is_answered_or_explained(client: httpx.Client, segments: list[str]) -> None:
    """Any path below /transactions yields a result or a 4xx problem."""
    response = client.get("/transactions/" + "/".join(quote(segment, safe="") for segment in segments))
    if not response.is_success:
        check_problem(response)
        assert response.is_client_error


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(client: httpx.Client, method: str) -> None:
    """Other methods on a GET path get 405 with the allowed methods."""
    response = client.request(method, "/transactions/90")
    assert check_problem(response)["code"] == "METHOD_NOT_ALLOWED"
    assert response.headers["allow"] == "GET, HEAD"


def test_head_answers_as_get_without_a_body(client: httpx.Client) -> None:
    """HEAD returns the headers of GET without a body."""
    response = client.head("/transactions/90")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert not response.content


@pytest.mark.parametrize("accept", ["application/xml", "text/csv;q=0", "image/*"])
def test_an_accept_that_allows_nothing_is_refused(client: httpx.Client, accept: str) -> None:
    """406 lists the available media types."""
    problem = check_problem(client.get("/transactions/90", headers={"Accept": accept}))
    assert problem["code"] == "NOT_ACCEPTABLE"
    assert "text/csv" in problem["detail"]


@pytest.mark.parametrize("code", PROBLEMS)
def test_each_problem_has_a_page(client: httpx.Client, code: str) -> None:
    """The URL in a problem's type leads to the page of its code, served as plain text so that browsers show it."""
    response = client.get(f"/errors/{code}")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.text.startswith(f"# {code}\n")


def test_fragments_that_repeat_each_other_are_not_written_out(client: httpx.Client) -> None:
    """A document whose fragments double 150 times is executed like the short document it is equivalent to."""
    fragments = "".join(f"fragment f{i} on Transaction {{ ...f{i + 1} ...f{i + 2} }}" for i in range(150))
    last = "fragment f150 on Transaction { id } fragment f151 on Transaction { amount }"
    query = "{ transactions(first: 1) { nodes { ...f0 } edges { node { ...f1 } } } } " + fragments + last
    answer = client.post("/graphql", json={"query": query}).json()
    assert answer == {"data": {"transactions": {"nodes": [], "edges": []}}}


NUMBERS = [
    "4111111111111111",
    "378282246310005",
    "30569309025904",
    "41111111111111111225",
    "4111-1111-1111-1111",
    "4111 1111  1111 1111",
    "4111.1111.1111.1111",
    "4111\N{NO-BREAK SPACE}1111\N{EN DASH}1111_1111",
]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_card_number_in_the_wrong_place_is_not_repeated(client: httpx.Client, number: str) -> None:
    """An error response shows no more of a card number in a path or query than the mask does."""
    for answer in (
        client.get(f"/transactions/90/amount/{number}/1"),
        client.get(f"/transactions/90/amount/1/{number}x"),
        client.get("/transactions/90", params={"after": number}),
        client.post("/graphql", content=b"{}", headers={"Content-Type": number.encode("ascii", "replace").decode()}),
        client.post("/graphql", json={"query": "query a { __typename }", "operationName": number}),
        client.get(f"/transactions/{number}"),
        client.get(f"/transactions/90/country/{number}"),
        client.get("/transactions/90", params={number: "x"}),
        client.post(
            "/graphql", json={"query": f'{{ transactions(filter: {{country: "{number}"}}) {{ totalCount }} }}'}
        ),
        client.post("/graphql", json={"query": f'{{ transactions(after: "{number}") {{ totalCount }} }}'}),
    ):
        assert not answer.is_success or "errors" in answer.json()
        assert number[-12:] not in unquote(answer.text)
        assert number[-12:] not in str(answer.json())
