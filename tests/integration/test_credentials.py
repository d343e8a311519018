"""Keys and tokens are created, revoked, broken and guessed at while real gateways run."""

import json
import subprocess
import sys
from itertools import count
from pathlib import Path

import httpx
import pytest

from database.embedded import EmbeddedServer
from gateway.authentication import Authenticator
from gateway.caller import Scope
from gateway.errors import UnauthenticatedError
from gateway.keys import create_key, revoke_key
from gateway.settings import load_settings
from tests.conftest import serve_database
from tests.guarded import JWT, SIGNER, Guarded, bearer, create_keys
from tests.issuer import SigningKey, render_key_set, run_issuer
from tests.minute import look_within_a_minute
from tests.waiting import wait_until

GATEWAY = Path(sys.executable).with_name("gateway")


def test_keys_come_and_go_while_the_gateway_runs(guarded: Guarded) -> None:
    """A key is accepted soon after it is created, and refused soon after it is revoked."""
    key, text = create_key(guarded.keys_file, "late", frozenset({Scope.TRANSACTIONS_READ}))

    def get_status() -> int:
        return guarded.ask("/transactions/1", bearer(text)).status_code

    wait_until(lambda: get_status() == 200, "the key")
    revoke_key(guarded.keys_file, key.id)
    wait_until(lambda: get_status() == 401, "its end")


def test_a_file_that_breaks_refuses_keys_but_not_tokens(guarded: Guarded) -> None:
    """While the key file is broken, requests with keys get 503 and tokens work as before."""
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
    """After repeated failures an address gets 429, yet a caller with a valid key at that address is still served."""
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
    """Tokens get 503 until the issuer's keys were fetched once, then are accepted or refused, also after a rotation."""
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
    """The gateway does not start with an unusable key file or key set, and its error names the source."""
    (tmp_path / "broken.json").write_text(json.dumps({"keys": 5}))
    environ = {"MONGO_URI": "mongodb://127.0.0.1:1/transactions", **variables}
    command: list[str | Path] = [GATEWAY, "serve", "--port", "0"]
    answer = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert named in answer.stderr
    assert "Traceback" not in answer.stderr


async def test_a_websocket_is_known_by_the_same_rule(tmp_path: Path) -> None:
    """A caller is identified by the headers of a WebSocket as by those of a request."""
    _, key = create_key(tmp_path / "keys.json", "it", frozenset({Scope.TRANSACTIONS_READ}))
    authenticator = Authenticator(load_settings({"GATEWAY_KEYS_FILE": str(tmp_path / "keys.json")}))
    scope = {"type": "websocket", "path": "/graphql", "client": ("127.0.0.1", 1)}
    caller = await authenticator.identify({**scope, "headers": [(b"authorization", f"Bearer {key}".encode())]})
    assert caller.scopes == {Scope.TRANSACTIONS_READ}
    with pytest.raises(UnauthenticatedError):
        await authenticator.identify({**scope, "headers": []})
