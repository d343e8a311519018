"""Which hosts and pages are served, and what the headers of every response forbid."""

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from database.client import open_sync_client
from database.environment import DatabaseEnvironment
from database.index import COLLECTION
from gateway.keys import create_key
from schema.context import read_clock_ms
from tests.conftest import ServedDatabase
from tests.process import GatewayProcess, run_gateway
from tests.waiting import find_free_port

COUNT = "/transactions/1/card/Visa"
LISTED = "https://app.example"
QUERY = {"query": "{ __typename }"}
# What a browser sends for a link that a user follows.
LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
STRICT = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; connect-src 'self'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def get(served: ServedDatabase, path: str = COUNT, **headers: str) -> httpx.Response:
    return httpx.get(f"{served.gateway.url}{path}", headers=headers)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:5000", "127.0.0.1:1", "127.8.9.1", "[::1]", "[::1]:5000"])
def test_this_machine_is_answered(served: ServedDatabase, host: str) -> None:
    """Without authentication, every name of this machine is served, with any port."""
    assert get(served, Host=host).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["", "gateway", "evil.example:5000", "127.0.0.1.evil.example", "localhost.evil.example", "0.0.0.0", "[::2]"],  # noqa: S104 - a requested host, not a listening address
)
@pytest.mark.parametrize("path", [COUNT, "/health/ready", "/static/absent.js", "/graphql"])
def test_another_host_is_not_answered(served: ServedDatabase, host: str, path: str) -> None:
    """Without authentication, a foreign host name that resolves to this machine gets 421 (DNS rebinding)."""
    answer = get(served, path, Host=host)
    assert answer.status_code == 421
    assert "HOST_NOT_SERVED" in answer.text


def test_an_old_client_needs_no_host(served: ServedDatabase) -> None:
    """HTTP/1.0, which has no Host, is served."""
    address = urlsplit(served.gateway.url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(b"GET /transactions/1/card/Visa HTTP/1.0\r\n\r\n")
        assert connection.recv(1_000).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"},
        {"Origin": "http://localhost:5000", "Host": "localhost:5000"},
        # A proxy may change the host; the browser's statement about the site still counts.
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://gateway.example"},
    ],
)
def test_programs_and_own_pages_are_answered(served: ServedDatabase, headers: dict[str, str]) -> None:
    """A request from no page, or from a page of this host, is served by GET and POST."""
    assert get(served, **headers).status_code == 200
    assert httpx.post(f"{served.gateway.url}/graphql", json=QUERY, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:5001", "Host": "localhost:5000"},
        {"Origin": "http://["},
    ],
)
def test_pages_of_others_are_not_answered(served: ServedDatabase, headers: dict[str, str]) -> None:
    """A request from another site's page is refused before it is parsed, by GET and POST, in both API styles."""
    refused = get(served, "/transactions/not-read", **headers)
    assert refused.status_code == 403
    assert refused.json()["code"] == "CROSS_SITE_REQUEST"
    asked = httpx.post(f"{served.gateway.url}/graphql", content="not read", headers=headers)
    assert asked.status_code == 403
    assert asked.json()["errors"][0]["extensions"]["code"] == "CROSS_SITE_REQUEST"
    assert not any(name.startswith("access-control") for name in refused.headers)


def test_a_link_is_answered_and_a_linked_query_is_not(served: ServedDatabase) -> None:
    """A link from another site may lead to a path or to GraphiQL, but not to a query."""
    assert get(served, **LINK).status_code == 200
    assert get(served, "/graphql", Accept="text/html", **LINK).status_code == 200
    assert get(served, "/graphql?query={__typename}", **LINK).status_code == 403
    assert get(served, "/graphql?qu%65ry={__typename}", **LINK).status_code == 403
    assert httpx.post(f"{served.gateway.url}/graphql", json=QUERY, headers=LINK).status_code == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (COUNT, 200),
        ("/transactions/1", 200),
        ("/transactions/x", 400),
        ("/nowhere", 404),
        ("/graphql?query={__typename}", 200),
        ("/graphql?query=", 400),
        ("/health/ready", 200),
        ("/errors/NOT_FOUND", 200),
        ("/openapi.json", 200),
    ],
)
def test_every_answer_is_strict(served: ServedDatabase, path: str, status: int) -> None:
    """No response may be cached, framed, executed or used by another site; over HTTP there is no HSTS header."""
    answer = get(served, path)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in STRICT} == STRICT
    assert not any(name.startswith("access-control") for name in answer.headers)
    assert "strict-transport-security" not in answer.headers


def test_pages_run_their_own_scripts_alone(served: ServedDatabase) -> None:
    """GraphiQL's policy allows this host's scripts, no inline script and no frame; its files may be cached."""
    page = get(served, "/graphql", Accept="text/html")
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == "'self'"
    for name in ("cross-origin-opener-policy", "cross-origin-resource-policy", "referrer-policy"):
        assert page.headers[name] == STRICT[name]
    asset = next(part for part in page.text.split('"') if part.startswith("/static/") and part.endswith(".js"))
    file = get(served, asset)
    assert file.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert file.headers["content-security-policy"] == "default-src 'self'; frame-ancestors 'none'"


def test_who_forwards_is_believed_only_if_trusted(served: ServedDatabase) -> None:
    """X-Forwarded-Proto from an untrusted client does not make a request count as HTTPS."""
    assert "strict-transport-security" not in get(served, **{"X-Forwarded-Proto": "https"}).headers


@pytest.fixture
def listing(
    environment: DatabaseEnvironment, reader_environment: DatabaseEnvironment, tmp_path: Path
) -> Iterator[GatewayProcess]:
    """A gateway with two transactions, behind a proxy on this machine, that allows one site by CORS."""
    with open_sync_client(environment) as client:
        first = {"date": read_clock_ms(), "cardType": "Visa", "cardNumber": "4111111111111111", "amount": 1.0}
        client[environment.database][COLLECTION].insert_many([{"_id": name, **first} for name in "ab"])
    with run_gateway(
        reader_environment,
        find_free_port(),
        tmp_path,
        GATEWAY_CORS_ORIGINS=f"https://other.example, {LISTED}",
        GATEWAY_TRUSTED_PROXIES="127.0.0.1",
        GATEWAY_REQUESTS_PER_MINUTE="20",
    ) as gateway:
        yield gateway


def test_a_listed_site_reads_answers_and_errors(listing: GatewayProcess) -> None:
    """A listed site's page may read every response with its headers, errors included, and never sends credentials."""
    headers = {"Origin": LISTED, "Sec-Fetch-Site": "cross-site"}
    statuses = set()
    for path in ["/transactions/1?limit=1", "/transactions/x", "/nowhere", *[COUNT] * 20]:
        answer = httpx.get(f"{listing.url}{path}", headers=headers)
        statuses.add(answer.status_code)
        assert answer.headers["access-control-allow-origin"] == LISTED
        assert {"Content-Disposition", "Link", "Retry-After", "X-Request-Id"} == set(
            answer.headers["access-control-expose-headers"].split(", ")
        )
        assert "access-control-allow-credentials" not in answer.headers
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert "Origin" in answer.headers["vary"]
    assert statuses == {200, 400, 404, 429}


def test_a_preflight_is_answered_for_listed_sites_alone(listing: GatewayProcess) -> None:
    """A preflight tells a listed site what it may send; other sites get 403."""
    asked = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,last-event-id,x-api-key",
    }
    answer = httpx.options(f"{listing.url}/graphql", headers={"Origin": LISTED, **asked})
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == LISTED
    assert "POST" in answer.headers["access-control-allow-methods"].split(", ")
    allowed = answer.headers["access-control-allow-headers"].lower().split(", ")
    assert {"authorization", "content-type", "last-event-id", "x-api-key"} <= set(allowed)
    for origin in ("https://evil.example", "http://app.example", "https://app.example.evil.example", "null"):
        refused = httpx.options(f"{listing.url}/graphql", headers={"Origin": origin, **asked})
        assert refused.status_code == 403
        assert not any(name.startswith("access-control") for name in refused.headers)


def test_behind_a_trusted_proxy_a_request_is_what_its_client_sent(listing: GatewayProcess) -> None:
    """A request by HTTPS through a trusted proxy gets an HSTS header and https links."""
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.1"}
    answer = httpx.get(f"{listing.url}/transactions/1?limit=1", headers=headers)
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert answer.headers["link"].startswith("<https://127.0.0.1:")


def test_with_authentication_any_host_is_answered(reader_environment: DatabaseEnvironment, tmp_path: Path) -> None:
    """With authentication, the host name is not checked."""
    keys = tmp_path / "keys.json"
    create_key(keys, "test", frozenset())
    with run_gateway(reader_environment, find_free_port(), tmp_path, GATEWAY_KEYS_FILE=str(keys)) as gateway:
        assert httpx.get(f"{gateway.url}{COUNT}", headers={"Host": "gateway.example"}).status_code == 401
