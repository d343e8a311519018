"""Shared fixtures: one real mongod per worker process, and a separate database for each test that requests one."""

import secrets
import signal
from asyncio import AbstractEventLoop, CancelledError, new_event_loop
from asyncio.selector_events import BaseSelectorEventLoop
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from socket import socket
from typing import Any

import pytest
import uvloop
from hypothesis import settings
from pymongo import MongoClient
from pymongo.collection import Collection

from database.client import open_sync_client
from database.embedded import EmbeddedServer, open_embedded_server
from database.environment import Credentials, DatabaseEnvironment
from database.index import COLLECTION
from database.provision import provision
from tests.process import GatewayProcess, run_gateway
from tests.waiting import find_free_port

# Based on Hypothesis' own profile, which differs in CI: on a busy machine a correct example may exceed the deadline.
settings.register_profile("untimed", settings(), deadline=None)
settings.load_profile("untimed")


# Signals that nohup or a shell set to be ignored: a no-op handler has the same effect here, but child processes do not
# inherit it and get the default action.
for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda *_: None)


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], AbstractEventLoop]]:
    """Run tests marked `uvloop` on uvloop, the event loop of the workers."""
    return {"loop": uvloop.new_event_loop if item.get_closest_marker("uvloop") else new_event_loop}


@pytest.fixture(scope="session", autouse=True)
def _connections_given_up_are_closed() -> Iterator[None]:
    """Close the socket that PyMongo leaves to the garbage collector if it is cancelled while connecting (PYTHON-5867).

    Python's warning would fail whichever test runs at that moment. A client measures round-trip times on a connection
    of its own, and on a busy machine a client that is soon closed is still opening it.
    """
    connect = BaseSelectorEventLoop.sock_connect

    async def connect_or_close(loop: BaseSelectorEventLoop, sock: socket, address: Any) -> None:
        try:
            await connect(loop, sock, address)
        except CancelledError:
            sock.close()
            raise

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseSelectorEventLoop, "sock_connect", connect_or_close)
        yield


@dataclass(frozen=True)
class ServedDatabase:
    """A running gateway, its database with the owner's credentials, and the collection, writable."""

    gateway: GatewayProcess
    owner: DatabaseEnvironment
    collection: Collection[dict[str, Any]]

    def fill(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Replace the contents of the collection with copies of these documents."""
        self.collection.delete_many({})
        if copies := [{**document} for document in documents]:
            self.collection.insert_many(copies)


@pytest.fixture(scope="session")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """The worker's server; tests that need only a database use `environment` instead."""
    environment = DatabaseEnvironment("owner", "owner's password", "127.0.0.1", find_free_port(), "unused")
    with open_embedded_server(environment, tmp_path_factory.mktemp("mongod")) as server:
        yield server


@pytest.fixture
def admin(mongod: EmbeddedServer) -> Iterator[MongoClient[dict[str, Any]]]:
    """A client with full rights on the worker's server."""
    with open_sync_client(mongod.admin) as client:
        yield client


@pytest.fixture
def reader_credentials() -> Credentials:
    return Credentials("reader", secrets.token_urlsafe())


@pytest.fixture
def environment(mongod: EmbeddedServer, reader_credentials: Credentials) -> Iterator[DatabaseEnvironment]:
    """An empty, provisioned database with the owner's credentials; it is dropped after the test."""
    admin = replace(mongod.admin, database=f"test_{secrets.token_hex(8)}")
    owner = Credentials("owner", secrets.token_urlsafe())
    provision(admin, owner=owner, reader=reader_credentials)
    yield admin.with_credentials(owner)
    with open_sync_client(admin) as client:
        client[admin.database].command("dropAllUsersFromDatabase")
        client[admin.database].command("dropAllRolesFromDatabase")
        client.drop_database(admin.database)


@pytest.fixture
def collection(environment: DatabaseEnvironment) -> Iterator[Collection[dict[str, Any]]]:
    """The transactions of `environment`, writable."""
    with open_sync_client(environment) as client:
        yield client[environment.database][COLLECTION]


@pytest.fixture
def reader_environment(environment: DatabaseEnvironment, reader_credentials: Credentials) -> DatabaseEnvironment:
    """The database of `environment` with the reader's credentials."""
    return environment.with_credentials(reader_credentials)


@contextmanager
def serve_database(mongod: EmbeddedServer, folder: Path, **variables: str) -> Iterator[ServedDatabase]:
    """Create a database and run a gateway that serves it with the reader's rights and the given GATEWAY_… variables."""
    admin = replace(mongod.admin, database=f"served_{secrets.token_hex(8)}")
    owner, reader = Credentials("owner", secrets.token_urlsafe()), Credentials("reader", secrets.token_urlsafe())
    provision(admin, owner=owner, reader=reader)
    with (
        open_sync_client(admin.with_credentials(owner)) as client,
        run_gateway(admin.with_credentials(reader), find_free_port(), folder, **variables) as gateway,
    ):
        yield ServedDatabase(gateway, admin.with_credentials(owner), client[admin.database][COLLECTION])


@pytest.fixture(scope="session")
def served(mongod: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDatabase]:
    """A served database that the tests share; each test fills it as it needs."""
    with serve_database(mongod, tmp_path_factory.mktemp("gateway")) as served:
        yield served
