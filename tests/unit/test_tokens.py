"""JWTs: which are valid, whom they identify, and how the issuer's keys are obtained."""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from database.errors import ConfigurationError
from gateway import tokens
from gateway.caller import Caller, Scope
from gateway.errors import KeysUnavailableError
from gateway.settings import JwtSettings
from gateway.tokens import ALGORITHMS, TokenVerifier, load_key_set
from tests.issuer import AUDIENCE, ISSUER, Issuer, SigningKey, render_key_set, run_issuer
from tests.waiting import wait_until

LEEWAY = 30
KEY = SigningKey("first")
OTHER_KEY = SigningKey("second", "EdDSA")


def open_verifier(jwks: str | Path) -> TokenVerifier:
    return TokenVerifier(JwtSettings(ISSUER, AUDIENCE, str(jwks), LEEWAY))


@pytest.fixture(scope="module")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> TokenVerifier:
    """A verifier that knows the first key only."""
    path = tmp_path_factory.mktemp("jwks") / "jwks.json"
    path.write_text(render_key_set(KEY))
    return open_verifier(path)


@pytest.fixture
def issuer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    """An issuer that publishes the first key; this process trusts its certificate."""
    with run_issuer(tmp_path) as issuer:
        monkeypatch.setenv("SSL_CERT_FILE", str(issuer.certificate))
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        issuer.body = render_key_set(KEY)
        yield issuer


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
async def test_each_algorithm_is_accepted(tmp_path: Path, algorithm: str) -> None:
    """A token is valid with any of the accepted algorithms."""
    key = SigningKey("it", algorithm)
    (tmp_path / "jwks.json").write_text(render_key_set(key))
    token = key.sign(scope="transactions:read")
    assert await open_verifier(tmp_path / "jwks.json").find_caller(token) == Caller(
        "jwt:somebody", frozenset({Scope.TRANSACTIONS_READ})
    )


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://issuer.example/"},
        {"iss": None},
        {"aud": "another"},
        {"aud": []},
        {"aud": None},
        {"sub": None},
        {"sub": 5},
        {"exp": None},
        {"exp": "soon"},
        {"exp": float("inf")},
        {"exp": int(time.time()) - LEEWAY - 1},
        {"nbf": int(time.time()) + LEEWAY + 3_600},
        {"iat": int(time.time()) + LEEWAY + 3_600},
    ],
)
async def test_a_claim_at_fault_is_refused(verifier: TokenVerifier, claims: dict[str, Any]) -> None:
    """A token with the wrong issuer or audience, without a subject, or outside its time is refused."""
    assert await verifier.find_caller(KEY.sign()) is not None
    try:
        token = KEY.sign(**claims)
    except TypeError:
        pytest.skip("PyJWT does not even write it")
    assert await verifier.find_caller(token) is None


async def test_clocks_may_differ(verifier: TokenVerifier) -> None:
    """A token is valid while the issuer's clock is within the leeway of this one."""
    now = int(time.time())
    assert await verifier.find_caller(KEY.sign(exp=now - LEEWAY // 2))
    assert await verifier.find_caller(KEY.sign(nbf=now + LEEWAY // 2, iat=now + LEEWAY // 2))


async def test_one_audience_of_several_suffices(verifier: TokenVerifier) -> None:
    """A token whose audiences include this gateway is valid."""
    assert await verifier.find_caller(KEY.sign(aud=["another", AUDIENCE]))


def encode(part: dict[str, Any] | bytes) -> str:
    content = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def sign_with_public_key(claims: str) -> str:
    """Return a token signed with the public key as an HMAC secret, which PyJWT refuses to write."""
    signed = f"{encode({'alg': 'HS256', 'kid': 'first'})}.{claims}"
    pem = KEY.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return f"{signed}.{encode(hmac.digest(pem, signed.encode(), 'sha256'))}"


async def test_no_other_signature_counts(verifier: TokenVerifier) -> None:
    """Tokens that are unsigned, signed with the public key as a secret or another key, or changed are refused."""
    header, claims, signature = KEY.sign().split(".")
    forged = [
        f"{encode({'alg': 'none', 'kid': 'first'})}.{claims}.",
        f"{encode({'alg': 'None', 'kid': 'first'})}.{claims}.{signature}",
        f"{encode({'alg': ['ES256'], 'kid': 'first'})}.{claims}.{signature}",
        f"{encode({'kid': 'first'})}.{claims}.{signature}",
        f"{encode({'alg': 'ES256', 'kid': 5})}.{claims}.{signature}",
        sign_with_public_key(claims),
        SigningKey("first").sign(),
        SigningKey("first", "RS256").sign(),
        OTHER_KEY.sign(),
        f"{header}.{encode({'sub': 'x'})}.{signature}",
        f"{header}.{claims}.",
    ]
    assert [await verifier.find_caller(token) for token in forged] == [None] * len(forged)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["ES256", "first"]), st.lists
)
HEADERS = st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "jku"]), JSON)


@given(
    st.text()
    | st.builds("{}.{}.{}".format, HEADERS.map(encode), JSON.map(lambda each: encode({"sub": each})), st.text())
)
def test_any_text_is_refused_in_peace(verifier: TokenVerifier, text: str) -> None:
    """Any text is refused without an exception."""
    assert asyncio.run(verifier.find_caller(text)) is None


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({}, set()),
        ({"scope": "openid transactions:read  cards:read"}, {Scope.TRANSACTIONS_READ, Scope.CARDS_READ}),
        ({"scope": "transactions:reader xcards:read"}, set()),
        ({"scp": "metrics:read"}, {Scope.METRICS_READ}),
        ({"scp": ["cards:read", 5, None, {}]}, {Scope.CARDS_READ}),
        ({"scope": "transactions:read", "scp": ["cards:read"]}, {Scope.TRANSACTIONS_READ, Scope.CARDS_READ}),
        ({"scope": {"transactions:read": True}}, set()),
    ],
)
async def test_scopes_are_read(verifier: TokenVerifier, claims: dict[str, Any], scopes: set[Scope]) -> None:
    """The scopes are the known ones in `scope` and `scp`, as text or list; others are ignored."""
    caller = await verifier.find_caller(KEY.sign(**claims))
    assert caller is not None
    assert caller.scopes == scopes


async def test_a_subject_is_named_without_harm(verifier: TokenVerifier) -> None:
    """Subjects unfit for logs get distinct names that do not show them."""
    subjects = ["4111111111111111", "4111 1111 1111 1112", "a\nb", "x" * 200, "", "\ud800"]
    callers = [await verifier.find_caller(KEY.sign(sub=subject)) for subject in subjects]
    names = {caller.name for caller in callers if caller}
    assert len(names) == len(subjects)
    assert all(len(name) == len("jwt:") + 32 for name in names)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"keys": 5}',
        '{"keys": []}',
        '{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}',
        '{"keys": [{"kty": "EC", "alg": ["ES256"]}]}',
        pytest.param(json.dumps({"keys": [SigningKey("it", use="enc").public]}), id="a key to encrypt with"),
        *(
            pytest.param(json.dumps({"keys": [SigningKey("it", algorithm).whole]}), id=f"a private key of {algorithm}")
            for algorithm in ("RS256", "ES256", "EdDSA")
        ),
    ],
)
def test_a_file_without_a_key_is_refused(tmp_path: Path, content: str) -> None:
    """A file without a public key for verifying signatures is refused by name."""
    path = tmp_path / "jwks.json"
    with pytest.raises(ConfigurationError, match=r"jwks\.json cannot be read"):
        load_key_set(path)
    path.write_text(content)
    with pytest.raises(ConfigurationError, match=r"jwks\.json is not a JSON Web Key Set.*ES256"):
        load_key_set(path)


async def test_a_key_file_is_read_again(tmp_path: Path) -> None:
    """A changed key file changes which tokens are valid; with a broken one, verification is unavailable."""
    path = tmp_path / "jwks.json"
    path.write_text(render_key_set(KEY))
    verifier = open_verifier(path)
    assert await verifier.find_caller(KEY.sign())

    def holds(key: SigningKey) -> bool | None:
        try:
            return bool(asyncio.run(verifier.find_caller(key.sign())))
        except KeysUnavailableError:
            return None

    path.write_text(render_key_set(OTHER_KEY))
    await asyncio.to_thread(wait_until, lambda: holds(OTHER_KEY))
    assert await verifier.find_caller(KEY.sign()) is None
    path.write_text("")
    await asyncio.to_thread(wait_until, lambda: holds(OTHER_KEY) is None)


async def test_a_key_without_an_id_serves_tokens_without(tmp_path: Path) -> None:
    """A token without a key id is verified with the key that has none."""
    key = SigningKey(None)
    path = tmp_path / "jwks.json"
    path.write_text(render_key_set(key, KEY))
    verifier = open_verifier(path)
    assert await verifier.find_caller(key.sign())
    assert await verifier.find_caller(SigningKey(None).sign()) is None


async def test_keys_are_fetched_once(issuer: Issuer) -> None:
    """Concurrent tokens wait for one fetch, and unknown key ids do not trigger another so soon."""
    verifier = open_verifier(issuer.url)
    callers = await asyncio.gather(*(verifier.find_caller(KEY.sign()) for _ in range(20)))
    assert all(callers)
    for number in range(20):
        assert await verifier.find_caller(SigningKey(f"foreign{number}").sign()) is None
    assert issuer.asked == 1


async def test_a_new_key_is_fetched(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token with the issuer's new key is valid, and tokens with a withdrawn key no longer are."""
    verifier = open_verifier(issuer.url)
    assert await verifier.find_caller(KEY.sign())
    monkeypatch.setattr(tokens, "PAUSE_SECONDS", 0)
    issuer.body = render_key_set(OTHER_KEY)
    assert await verifier.find_caller(OTHER_KEY.sign())
    assert await verifier.find_caller(KEY.sign()) is None


async def test_a_set_is_renewed_while_it_is_used(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """An aged key set is refreshed in the background, so that a withdrawn key stops working."""
    verifier = open_verifier(issuer.url)
    assert await verifier.find_caller(KEY.sign())
    monkeypatch.setattr(tokens, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(tokens, "FRESH_SECONDS", 0)
    issuer.body = render_key_set(OTHER_KEY)
    issuer.may_answer.clear()
    assert await verifier.find_caller(KEY.sign())
    issuer.may_answer.set()
    loop = asyncio.get_running_loop()

    def is_withdrawn() -> bool:
        return asyncio.run_coroutine_threadsafe(verifier.find_caller(KEY.sign()), loop).result() is None

    await asyncio.to_thread(wait_until, is_withdrawn)


@pytest.mark.parametrize(("status", "body"), [(500, ""), (302, ""), (200, "<html>"), (200, '{"keys": []}')])
async def test_known_keys_outlive_their_issuer(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch, status: int, body: str
) -> None:
    """While the issuer responds with errors or redirects, tokens are verified with the last keys fetched."""
    verifier = open_verifier(issuer.url)
    assert await verifier.find_caller(KEY.sign())
    monkeypatch.setattr(tokens, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(tokens, "FRESH_SECONDS", 0)
    issuer.status, issuer.body = status, body
    assert await verifier.find_caller(OTHER_KEY.sign()) is None
    assert issuer.asked == 2
    assert await verifier.find_caller(KEY.sign())


async def test_an_issuer_that_was_never_there_is_no_fault_of_a_token(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any keys no token is called invalid; the fetch is retried, but not for each token."""
    issuer.status = 500
    verifier = open_verifier(issuer.url)
    for _ in range(3):
        with pytest.raises(KeysUnavailableError):
            await verifier.find_caller(KEY.sign())
    assert issuer.asked == 1
    issuer.status = 200
    monkeypatch.setattr(tokens, "PAUSE_SECONDS", 0)
    assert await verifier.find_caller(KEY.sign())


async def test_an_issuer_that_hangs_is_not_waited_for(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fetch has a timeout, and a cancelled caller does not end it for the others."""
    monkeypatch.setattr(tokens, "_FETCH_SECONDS", 0.2)
    issuer.may_answer.clear()
    verifier = open_verifier(issuer.url)
    leaving = asyncio.create_task(verifier.find_caller(KEY.sign()))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(KeysUnavailableError):
        await verifier.find_caller(KEY.sign())
    assert issuer.asked <= 1


async def test_an_issuer_that_is_not_trusted_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys served with an untrusted certificate are not accepted."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with run_issuer(tmp_path) as issuer:
        issuer.body = render_key_set(KEY)
        with pytest.raises(KeysUnavailableError):
            await open_verifier(issuer.url).find_caller(KEY.sign())
