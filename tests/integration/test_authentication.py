"""Who may send which request, and what they see: on a real gateway with keys and tokens."""

import re

import httpx
import pytest

from database.row import mask_card_number
from schema.context import read_clock_ms
from tests.conftest import ServedDatabase
from tests.guarded import NUMBER, SIGNER, Guarded, bearer
from tests.issuer import SigningKey

QUERY = {"query": "{ transactions(filter: {days: 1}) { nodes { cardNumber } } }"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/transactions/1"),
        ("HEAD", "/transactions/1"),
        ("OPTIONS", "/transactions/1"),
        ("GET", "/transactions"),
        ("GET", "/transactions/1/card/Visa"),
        ("GET", "/metrics"),
        ("POST", "/graphql"),
        ("OPTIONS", "/graphql"),
        ("GET", "/graphql?query={__typename}"),
        ("GET", "/graphql?extensions={}"),
        ("GET", "/graphql/"),
        ("GET", "//"),
        ("GET", "/docs/"),
        ("GET", "/nothing"),
        ("GET", "//transactions/1"),
        ("GET", "/Static/x"),
        ("DELETE", "/healthy"),
    ],
)
def test_without_credentials_nothing_is_told(guarded: Guarded, method: str, path: str) -> None:
    """Every non-public path gets the same 401, whether it exists or not."""
    answer = guarded.ask(path, method=method)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "/transactions" not in answer.text.replace(answer.request.url.path, "")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/health/live", 200),
        ("/health/ready", 200),
        ("/errors/UNAUTHENTICATED", 200),
        ("/openapi.json", 200),
        ("/static/nothing", 404),
        ("/graphql", 200),
        ("/", 200),
        ("/?days=7", 200),
        ("/docs", 200),
    ],
)
def test_some_paths_need_no_credentials(guarded: Guarded, path: str, status: int) -> None:
    """Health probes, pages, error pages and the OpenAPI document need no credentials."""
    assert guarded.ask(path, ("Accept", "text/html, */*")).status_code == status


def list_wrong_headers(guarded: Guarded) -> list[list[tuple[str, str]]]:
    good = guarded.keys["reader"]
    key, token = bearer(good), SIGNER.sign(scope="transactions:read")
    last = "0" if good[-1] != "0" else "1"
    return [
        [],
        [("Authorization", "")],
        [("Authorization", "Bearer")],
        [("Authorization", good)],
        [("Authorization", f"Basic {good}")],
        [("Authorization", f"Bearer {good}, {good}")],
        [bearer(good[:-1] + last)],
        [bearer(f"txgw_00000000_{'0' * 64}")],
        [bearer(guarded.keys["expired"])],
        [bearer("\xff")],
        [bearer(SIGNER.sign(aud="another"))],
        [bearer(SigningKey("first").sign())],
        [bearer(SigningKey("unknown").sign())],
        [("X-API-Key", token)],
        [("X-API-Key", f"Bearer {good}")],
        [key, key],
        [key, ("X-API-Key", good)],
    ]


@pytest.mark.parametrize("path", ["/transactions/1", "/graphql?query={__typename}"])
def test_every_fault_is_answered_alike(guarded: Guarded, path: str) -> None:
    """Neither the body nor the headers reveal which part of the credentials was wrong."""
    answers = [guarded.ask(path, *headers) for headers in list_wrong_headers(guarded)]
    answers.append(guarded.ask(path + ("&" if "?" in path else "?") + f"access_token={guarded.keys['reader']}"))
    told = {
        (answer.status_code, re.sub("[0-9a-f]{32}", "", answer.text), answer.headers["WWW-Authenticate"])
        for answer in answers
    }
    assert len(told) == 1
    body = answers[0].json()
    code = body["errors"][0]["extensions"]["code"] if "graphql" in path else body["code"]
    assert (answers[0].status_code, code) == (401, "UNAUTHENTICATED")


def test_right_credentials_are_accepted(guarded: Guarded) -> None:
    """A key is accepted in either header and with any case of the scheme, a token as a bearer token."""
    key = guarded.keys["reader"]
    good = [
        bearer(key),
        ("Authorization", f"bearer {key}"),
        ("authorization", f"BEARER  {key}"),
        ("X-API-Key", key),
        bearer(SIGNER.sign(scope="openid transactions:read")),
        bearer(SIGNER.sign(scp=["transactions:read"])),
    ]
    assert {guarded.ask("/transactions/1", header).status_code for header in good} == {200}
    assert {guarded.ask("/graphql", header, method="POST", json=QUERY).status_code for header in good} == {200}
    assert {guarded.ask("/nothing", header).status_code for header in good} == {404}


@pytest.mark.parametrize(
    ("name", "path", "scope"),
    [
        ("measuring", "/transactions/1", "transactions:read"),
        ("measuring", "/graphql?query={__typename}", "transactions:read"),
        ("reader", "/metrics", "metrics:read"),
    ],
)
def test_a_missing_scope_is_named(guarded: Guarded, name: str, path: str, scope: str) -> None:
    """A known caller without the required scope gets 403 naming that scope."""
    answer = guarded.ask(path, bearer(guarded.keys[name]))
    assert answer.status_code == 403
    assert answer.headers["WWW-Authenticate"] == f'Bearer error="insufficient_scope", scope="{scope}"'
    problem = answer.json()
    code = problem["errors"][0]["extensions"]["code"] if "graphql" in path else problem["code"]
    assert code == "FORBIDDEN"
    assert scope in answer.text
    assert guarded.ask(path, bearer(SIGNER.sign())).status_code == 403


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("measuring", "/graphql%0A?query={transactions{totalCount}}"),
        ("measuring", "/graphql%0D?query={transactions{totalCount}}"),
        ("measuring", "/transactions%0A/1"),
        ("measuring", "/transactions/live%0A"),
        ("reader", "/metrics%0A"),
    ],
)
def test_a_line_break_in_a_path_leads_around_no_scope(guarded: Guarded, name: str, path: str) -> None:
    """A path with a line break after one that needs a scope is another path, which serves nothing to anyone."""
    answer = guarded.ask(path, bearer(guarded.keys[name]))
    assert answer.status_code in {403, 404}
    assert answer.json()["code"] in {"FORBIDDEN", "NOT_FOUND"}


ROW_FORMATS = ["application/json", "application/x-ndjson", "text/csv"]


@pytest.mark.parametrize("path", ["/transactions/1", "/transactions/1?limit=1", "/transactions/1/country/US"])
@pytest.mark.parametrize("accept", ROW_FORMATS)
def test_rest_shows_whole_numbers_to_few(guarded: Guarded, path: str, accept: str) -> None:
    """Every list format holds full card numbers for a caller with cards:read, and masked ones for others."""
    masked, whole = (
        guarded.ask(path, bearer(guarded.keys[name]), ("Accept", accept)).text for name in ("reader", "revealing")
    )
    assert whole.replace(NUMBER, mask_card_number(NUMBER)) == masked
    assert NUMBER in whole
    assert NUMBER not in masked


def test_graphql_shows_whole_numbers_to_few(guarded: Guarded) -> None:
    """GraphQL returns full card numbers to a caller with cards:read, by key or token, and masked ones to others."""

    def ask(credentials: str) -> str:
        answer = guarded.ask("/graphql", bearer(credentials), method="POST", json=QUERY).json()
        return str(answer["data"]["transactions"]["nodes"][0]["cardNumber"])

    assert ask(guarded.keys["revealing"]) == NUMBER
    assert ask(SIGNER.sign(scope="transactions:read cards:read")) == NUMBER
    assert ask(guarded.keys["reader"]) == mask_card_number(NUMBER)
    assert ask(SIGNER.sign(scope="transactions:read")) == mask_card_number(NUMBER)


def test_an_open_gateway_shows_no_whole_number(served: ServedDatabase) -> None:
    """On a gateway without authentication, nobody sees a full card number, whatever credentials they send."""
    served.collection.insert_one({"_id": "id", "date": read_clock_ms(), "cardNumber": NUMBER})
    try:
        answer = httpx.get(f"{served.gateway.url}/transactions/1", headers=dict([bearer("anything")]))
    finally:
        served.collection.delete_many({})
    assert answer.status_code == 200
    assert NUMBER not in answer.text
