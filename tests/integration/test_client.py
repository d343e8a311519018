"""Clients reach a server as the settings say, and what goes wrong is told by kind, without a credential."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WTimeoutError,
)

from database.client import Answer, check_server, open_client, open_sync_client, translated_errors
from database.embedded import EmbeddedServer
from database.environment import Credentials, DatabaseEnvironment
from database.errors import DatabaseError, DatabaseRefusedError, DatabaseTimeoutError, DatabaseUnavailableError
from database.index import COLLECTION

_TIMED_OUT = {"writeErrors": [], "writeConcernErrors": [{"code": 64, "errInfo": {"wtimeout": True}}]}


@contextmanager
def _silent_listener() -> Iterator[int]:
    """The port of a program that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextmanager
def _web_server() -> Iterator[int]:
    """The port of a program that answers every connection in another protocol."""

    def answer() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ServerSelectionTimeoutError("x"), DatabaseUnavailableError),
        (AutoReconnect("x"), DatabaseUnavailableError),
        (NotPrimaryError("x"), DatabaseUnavailableError),
        (OperationFailure("x", 11602), DatabaseUnavailableError),
        (NetworkTimeout("x"), DatabaseTimeoutError),
        (WaitQueueTimeoutError("x"), DatabaseTimeoutError),
        (ExecutionTimeout("x", 50), DatabaseTimeoutError),
        (WTimeoutError("x", 64), DatabaseTimeoutError),
        (BulkWriteError(_TIMED_OUT), DatabaseTimeoutError),
        (OperationFailure("x", 262), DatabaseTimeoutError),
        (OperationFailure("x", 18), DatabaseRefusedError),
        (OperationFailure("x", 8000), DatabaseRefusedError),
        (OperationFailure("x", 13), DatabaseRefusedError),
    ],
)
def test_driver_error_becomes_the_domain_s(error: PyMongoError, kind: type[DatabaseError]) -> None:
    """Each of the driver's errors that is no fault of the question becomes one of three, with its cause."""
    with pytest.raises(kind, match="The database at host:1 ") as caught, translated_errors("host:1"):
        raise error
    assert type(caught.value) is kind
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [DuplicateKeyError("x", 11000), OperationFailure("x", 2), ValueError("x")])
def test_other_errors_pass(error: Exception) -> None:
    """An error that says something about the question or our code is not disguised."""
    with pytest.raises(type(error)) as caught, translated_errors():
        raise error
    assert caught.value is error


async def test_awaiting_code_is_translated(environment: DatabaseEnvironment) -> None:
    """An operation that takes too long on the server is a timeout, also where it is awaited."""
    async with open_client(environment) as client:
        collection = client[environment.database][COLLECTION]
        await collection.insert_one({"_id": "a"})
        slow = collection.find({"$where": "sleep(10000) || true"}).max_time_ms(1)
        with pytest.raises(DatabaseTimeoutError), translated_errors(environment.address):
            await slow.to_list()


async def test_cancelled_code_stays_cancelled() -> None:
    """A cancellation is not taken for a fault of the database."""
    with pytest.raises(asyncio.CancelledError), translated_errors():
        raise asyncio.CancelledError


def test_accepting_server_is_described(environment: DatabaseEnvironment, mongod: EmbeddedServer) -> None:
    """A server that accepts the credentials is known by version, replica set and user."""
    state = check_server(environment)
    assert state.answer is Answer.ACCEPTED
    assert (state.version, state.replica_set, state.user) == (mongod.version, "embedded", "owner")


def test_wrong_credentials_are_refused(environment: DatabaseEnvironment) -> None:
    """A wrong password is refused in parts and by URI, and is in no message."""
    wrong = environment.with_credentials(Credentials("owner", "wrong-secret"))
    by_uri = DatabaseEnvironment(uri=wrong.connection_uri)
    for state in (check_server(wrong), check_server(by_uri)):
        assert state.answer is Answer.REFUSED
        assert isinstance(state.build_error(), DatabaseRefusedError)
        assert environment.address in state.message
        assert "wrong-secret" not in repr(state)


def test_other_programs_are_not_taken_for_a_server(environment: DatabaseEnvironment) -> None:
    """A program that keeps silent, or speaks another protocol, is told apart from a port where nothing listens."""
    with _silent_listener() as silent, _web_server() as web:
        assert check_server(replace(environment, port=silent)).answer is Answer.FOREIGN
        assert check_server(replace(environment, port=web)).answer is Answer.FOREIGN
    assert check_server(replace(environment, port=silent)).answer is Answer.SILENT


def test_options_of_a_uri_are_kept(environment: DatabaseEnvironment) -> None:
    """What the URI says about the connection is not overridden, and what it leaves open has our value."""
    uri = f"{environment.connection_uri}&maxPoolSize=3&serverSelectionTimeoutMS=1234"
    with open_sync_client(DatabaseEnvironment(uri=uri)) as client:
        assert client.options.pool_options.max_pool_size == 3
        assert client.options.server_selection_timeout == 1.234
        assert client.options.pool_options.connect_timeout == 3
        assert client.options.pool_options.appname == "transactions-gateway"
