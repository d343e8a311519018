"""Who may ask, and what they see: on a real gateway with keys and tokens."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from database.embedded import EmbeddedServer
from database.row import mask_card_number
from gateway.authentication import Authenticator
from gateway.caller import Scope
from gateway.errors import UnauthenticatedError
from gateway.keys import create_key, revoke_key
from gateway.settings import load_settings
from schema.context import read_clock_ms
from tests.conftest import ServedDatabase, serve_database
from tests.issuer import AUDIENCE, ISSUER, SigningKey, render_key_set, run_issuer
from tests.minute import look_within_a_minute
from tests.waiting import wait_until

GATEWAY = Path(sys.executable).with_name("gateway")
QUERY = {"query": "{ transactions(filter: {days: 1}) { nodes { cardNumber } } }"}
NUMBER = "4111111111111111"
SIGNER = SigningKey("first")
JWT = {"GATEWAY_JWT_ISSUER": ISSUER, "GATEWAY_JWT_AUDIENCE": AUDIENCE}


@dataclass(frozen=True)
class Guarded:
    """A gateway that wants to know who asks, its file of keys, and keys and tokens by what they allow."""

    served: ServedDatabase
    keys_file: Path
    keys: dict[str, str]

    def ask(self, path: str, *headers: tuple[str, str], method: str = "GET", **options: Any) -> httpx.Response:
        # By bytes, for not all that may be sent is ASCII.
        encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers]
        return httpx.request(method, self.served.gateway.url + path, headers=encoded, **options)


def bearer(credentials: str) -> tuple[str, str]:
    return ("Authorization", f"Bearer {credentials}")


def create_keys(path: Path) -> dict[str, str]:
    kinds = {
        "reader": {Scope.TRANSACTIONS_READ},
        "revealing": {Scope.TRANSACTIONS_READ, Scope.CARDS_READ},
        "measuring": {Scope.METRICS_READ},
    }
    keys = {name: create_key(path, name, frozenset(scopes))[1] for name, scopes in kinds.items()}
    return {**keys, "expired": create_key(path, "expired", frozenset(Scope), timedelta(microseconds=1))[1]}


@pytest.fixture(scope="module")
def guarded(mongod: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """Takes keys and tokens; one transaction of the last day is there."""
    folder = tmp_path_factory.mktemp("guarded")
    keys_file, jwks = folder / "keys.json", folder / "jwks.json"
    keys = create_keys(keys_file)
    jwks.write_text(render_key_set(SIGNER))
    variables = {"GATEWAY_KEYS_FILE": str(keys_file), "GATEWAY_JWT_JWKS": str(jwks), **JWT}
    with serve_database(mongod, folder, GATEWAY_FAILURES_PER_MINUTE="10000", **variables) as served:
        served.collection.insert_one(
            {
                "_id": "id",
                "date": read_clock_ms(),
                "currency": "USD",
                "amount": 1.0,
                "cardType": "Visa",
                "cardNumber": NUMBER,
                "countryOrigin": "US",
            }
        )
        yield Guarded(served, keys_file, keys)


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
    """Whatever is not public is refused alike, whether it exists or not."""
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
    """Probes, the pages and what explains the interface are open to all."""
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
    """Neither answer nor headers say which part of the credentials was wrong."""
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
    """A key counts in either header and whatever the case of the scheme, a token as a bearer's."""
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
    """A known caller who may not ask this is told which scope it takes."""
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
    """A path that goes on after one that needs a scope is another path, at which nothing is answered to anybody."""
    answer = guarded.ask(path, bearer(guarded.keys[name]))
    assert answer.status_code in {403, 404}
    assert answer.json()["code"] in {"FORBIDDEN", "NOT_FOUND"}


ROW_FORMATS = ["application/json", "application/x-ndjson", "text/csv"]


@pytest.mark.parametrize("path", ["/transactions/1", "/transactions/1?limit=1", "/transactions/1/country/US"])
@pytest.mark.parametrize("accept", ROW_FORMATS)
def test_rest_shows_whole_numbers_to_few(guarded: Guarded, path: str, accept: str) -> None:
    """Each form of a list holds whole card numbers for a caller with cards:read, and masked ones for another."""
    masked, whole = (
        guarded.ask(path, bearer(guarded.keys[name]), ("Accept", accept)).text for name in ("reader", "revealing")
    )
    assert whole.replace(NUMBER, mask_card_number(NUMBER)) == masked
    assert NUMBER in whole
    assert NUMBER not in masked


def test_graphql_shows_whole_numbers_to_few(guarded: Guarded) -> None:
    """GraphQL gives whole card numbers to a caller with cards:read, by key or token, and masked ones to others."""

    def ask(credentials: str) -> str:
        answer = guarded.ask("/graphql", bearer(credentials), method="POST", json=QUERY).json()
        return str(answer["data"]["transactions"]["nodes"][0]["cardNumber"])

    assert ask(guarded.keys["revealing"]) == NUMBER
    assert ask(SIGNER.sign(scope="transactions:read cards:read")) == NUMBER
    assert ask(guarded.keys["reader"]) == mask_card_number(NUMBER)
    assert ask(SIGNER.sign(scope="transactions:read")) == mask_card_number(NUMBER)


def test_an_open_gateway_shows_no_whole_number(served: ServedDatabase) -> None:
    """Where nobody says who they are, nobody sees a whole card number, whatever they send."""
    served.collection.insert_one({"_id": "id", "date": read_clock_ms(), "cardNumber": NUMBER})
    try:
        answer = httpx.get(f"{served.gateway.url}/transactions/1", headers=dict([bearer("anything")]))
    finally:
        served.collection.delete_many({})
    assert answer.status_code == 200
    assert NUMBER not in answer.text


def test_keys_come_and_go_while_the_gateway_runs(guarded: Guarded) -> None:
    """A key is accepted soon after it was created, and refused soon after it was revoked."""
    key, text = create_key(guarded.keys_file, "late", frozenset({Scope.TRANSACTIONS_READ}))

    def get_status() -> int:
        return guarded.ask("/transactions/1", bearer(text)).status_code

    wait_until(lambda: get_status() == 200, "the key")
    revoke_key(guarded.keys_file, key.id)
    wait_until(lambda: get_status() == 401, "its end")


def test_a_file_that_breaks_refuses_keys_but_not_tokens(guarded: Guarded) -> None:
    """While the file of keys is broken, keys are answered with 503, tokens as before."""
    whole = guarded.keys_file.read_text()
    key, token = bearer(guarded.keys["reader"]), bearer(SIGNER.sign(scope="transactions:read"))
    guarded.keys_file.write_text("broken")
    try:
        wait_until(lambda: guarded.ask("/transactions/1", key).status_code == 503, "the fault")
        answer = guarded.ask("/transactions/1", key)
        assert answer.json()["code"] == "AUTHENTICATION_UNAVAILABLE"
        assert answer.headers["Retry-After"]
        assert guarded.ask("/transactions/1", token).status_code == 200
    finally:
        guarded.keys_file.write_text(whole)
    wait_until(lambda: guarded.ask("/transactions/1", key).status_code == 200, "the repair")


def test_failures_are_limited_but_the_right_key_is_not(mongod: EmbeddedServer, tmp_path: Path) -> None:
    """After some failures an address is told to wait, and yet whoever has a key there is served."""
    keys = create_keys(tmp_path / "keys.json")
    variables = {
        "GATEWAY_KEYS_FILE": str(tmp_path / "keys.json"),
        "GATEWAY_FAILURES_PER_MINUTE": "3",
        "GATEWAY_TRUSTED_PROXIES": "127.0.0.1",
    }
    addresses = (f"203.0.113.{number}" for number in count(1))
    with serve_database(mongod, tmp_path, **variables) as served:

        def ask(path: str, credentials: str, address: str) -> httpx.Response:
            headers = dict([bearer(credentials), ("X-Forwarded-For", address)])
            return httpx.get(served.gateway.url + path, headers=headers)

        def fail() -> tuple[str, list[httpx.Response]]:
            address, query = next(addresses), "/graphql?query={__typename}"
            failed = [ask("/transactions/1", "wrong", address) for _ in range(5)]
            return address, [*failed, ask(query, "wrong", address)]

        address, answers = look_within_a_minute(fail)
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429, 429]
        assert answers[4].json()["code"] == "TOO_MANY_REQUESTS"
        assert 1 <= int(answers[4].headers["Retry-After"]) <= 60
        assert answers[5].json()["errors"][0]["extensions"]["code"] == "TOO_MANY_REQUESTS"
        assert ask("/transactions/1", keys["reader"], address).status_code == 200
        assert ask("/health/live", "wrong", address).status_code == 200


def test_tokens_of_an_issuer_by_https(mongod: EmbeddedServer, tmp_path: Path) -> None:
    """Tokens wait for the issuer's keys: 503 until they were had once, then right or wrong, also after a rotation."""
    with run_issuer(tmp_path) as issuer:
        issuer.status, issuer.body = 500, render_key_set(SIGNER)
        variables = {"SSL_CERT_FILE": str(issuer.certificate), "no_proxy": "127.0.0.1", **JWT}
        with serve_database(mongod, tmp_path, GATEWAY_JWT_JWKS=issuer.url, **variables) as served:

            def ask(signer: SigningKey, path: str = "/transactions/1") -> httpx.Response:
                headers = dict([bearer(signer.sign(scope="transactions:read"))])
                return httpx.get(served.gateway.url + path, headers=headers)

            away = ask(SIGNER)
            assert (away.status_code, away.json()["code"]) == (503, "AUTHENTICATION_UNAVAILABLE")
            assert away.headers["Retry-After"]
            told = ask(SIGNER, "/graphql?query={__typename}").json()
            assert told["errors"][0]["extensions"]["code"] == "AUTHENTICATION_UNAVAILABLE"
            issuer.status = 200
            wait_until(lambda: ask(SIGNER).status_code == 200, "the issuer's keys")
            new = SigningKey("second")
            issuer.body = render_key_set(SIGNER, new)
            wait_until(lambda: ask(new).status_code == 200, "the new key")
            assert ask(SigningKey("third")).status_code in {401, 429}


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"GATEWAY_KEYS_FILE": "broken.json"}, "broken.json is not a file of keys"),
        ({"GATEWAY_KEYS_FILE": "."}, "The keys of . cannot be read"),
        ({"GATEWAY_JWT_JWKS": "broken.json", **JWT}, "broken.json is not a JSON Web Key Set"),
        ({"GATEWAY_JWT_JWKS": "nowhere.json", **JWT}, "nowhere.json cannot be read"),
        ({"GATEWAY_JWT_JWKS": "http://127.0.0.1/jwks.json", **JWT}, "https://"),
    ],
)
def test_a_broken_file_ends_the_start(tmp_path: Path, variables: dict[str, str], named: str) -> None:
    """The gateway does not start with a file that lets nobody in, and names it in one line."""
    (tmp_path / "broken.json").write_text(json.dumps({"keys": 5}))
    environ = {"MONGO_URI": "mongodb://127.0.0.1:1/transactions", **variables}
    command: list[str | Path] = [GATEWAY, "serve", "--port", "0"]
    answer = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert named in answer.stderr
    assert "Traceback" not in answer.stderr


async def test_a_websocket_is_known_by_the_same_rule(tmp_path: Path) -> None:
    """A caller is known by the headers of a WebSocket as by those of a request."""
    _, key = create_key(tmp_path / "keys.json", "it", frozenset({Scope.TRANSACTIONS_READ}))
    authenticator = Authenticator(load_settings({"GATEWAY_KEYS_FILE": str(tmp_path / "keys.json")}))
    scope = {"type": "websocket", "path": "/graphql", "client": ("127.0.0.1", 1)}
    caller = await authenticator.identify({**scope, "headers": [(b"authorization", f"Bearer {key}".encode())]})
    assert caller.scopes == {Scope.TRANSACTIONS_READ}
    with pytest.raises(UnauthenticatedError):
        await authenticator.identify({**scope, "headers": []})
