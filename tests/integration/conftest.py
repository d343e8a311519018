"""Fixtures shared by integration test modules: a gateway that requires authentication, and a user's terminals."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from database.embedded import EmbeddedServer
from schema.context import read_clock_ms
from tests.conftest import ServedDatabase, serve_database
from tests.guarded import JWT, NUMBER, SIGNER, Guarded, create_keys
from tests.issuer import render_key_set
from tests.terminal import PASSWORD, Terminal
from tests.waiting import find_free_port


@pytest.fixture(scope="module")
def connection(served: ServedDatabase) -> Iterator[httpx.Client]:
    # On a busy machine the gateway may take a while to respond.
    with httpx.Client(base_url=served.gateway.url, timeout=60) as client:
        yield client


@pytest.fixture
def client(served: ServedDatabase, connection: httpx.Client) -> httpx.Client:
    """A client of the served gateway, whose database is empty when a test begins."""
    served.fill([])
    return connection


@pytest.fixture(scope="module")
def guarded(mongod: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A gateway that accepts keys and tokens and serves one transaction from the last day."""
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


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's working folder with a db_envs.yaml on its own port. The first `up` fills its database."""
    home = tmp_path_factory.mktemp("home")
    settings = {
        "mongo_username": "transactions",
        "mongo_password": PASSWORD,
        "mongo_host": "127.0.0.1",
        "mongo_port": find_free_port(),
        "mongo_database": "transactions",
    }
    (home / "db_envs.yaml").write_text("".join(f"{key}: {value}\n" for key, value in settings.items()))
    return home


@pytest.fixture
def open_terminal(home: Path) -> Iterator[Callable[..., Terminal]]:
    """A function that runs a command on its own terminal; the terminals are closed after the test."""
    terminals: list[Terminal] = []

    def open_one(*arguments: str, **variables: str) -> Terminal:
        terminals.append(Terminal(home, *arguments, **variables))
        return terminals[-1]

    yield open_one
    for terminal in terminals:
        terminal.close()


@pytest.fixture
def up(open_terminal: Callable[..., Terminal]) -> Callable[..., Terminal]:
    """Start `gateway up` on a free port and wait until it reports that it is serving."""

    def start(**variables: str) -> Terminal:
        terminal = open_terminal("up", "--port", "0", "--workers", "2", **variables)
        terminal.wait_for("Ctrl-C stops everything")
        assert terminal.runs_mongod()
        return terminal

    return start
