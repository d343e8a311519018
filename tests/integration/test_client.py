"""Clients connect as the settings say, and failures are reported by kind, without any credential."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    CursorNotFound,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidOperation,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WTimeoutError,
)

from database.client import ConnectionOutcome, check_server, open_client, open_sync_client, translated_errors
from database.embedded import EmbeddedServer
from database.environment import Credentials, DatabaseEnvironment
from database.errors import (
    ConfigurationError,
    DatabaseError,
    DatabaseRefusedError,
    DatabaseTimeoutError,
    DatabaseUnavailableError,
    QueryEndedError,
)
from database.index import COLLECTION
from database.monitor import PrimaryMonitor
from database.query import TransactionFilter, build_count_plan
from database.repository import TransactionRepository
from tests.waiting import DEADLINE_SECONDS, find_free_port

_TIMED_OUT = {"writeErrors": [], "writeConcernErrors": [{"code": 64, "errInfo": {"wtimeout": True}}]}


@contextmanager
def _silent_listener() -> Iterator[int]:
    """The port of a program that accepts connections and never responds."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextmanager
def _web_server() -> Iterator[int]:
    """The port of a program that responds to every connection in another protocol."""

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
        (OperationFailure("x", 211), DatabaseUnavailableError),
        (NetworkTimeout("x"), DatabaseUnavailableError),
        (WaitQueueTimeoutError("x"), DatabaseUnavailableError),
        (CursorNotFound("x", 43), QueryEndedError),
        (OperationFailure("x", 237), QueryEndedError),
        (OperationFailure("x", 175), QueryEndedError),
        (ExecutionTimeout("x", 50), DatabaseTimeoutError),
        (WTimeoutError("x", 64), DatabaseTimeoutError),
        (BulkWriteError(_TIMED_OUT), DatabaseTimeoutError),
        (OperationFailure("x", 262), DatabaseTimeoutError),
        (OperationFailure("x", 18), DatabaseRefusedError),
        (OperationFailure("x", 8000), DatabaseRefusedError),
        (OperationFailure("x", 13), DatabaseRefusedError),
        (OperationFailure("x", 166), DatabaseRefusedError),
        (OperationFailure("x", 2), DatabaseRefusedError),
        (DuplicateKeyError("x", 11000), DatabaseRefusedError),
    ],
)
def test_driver_error_becomes_the_domain_s(error: PyMongoError, kind: type[DatabaseError]) -> None:
    """Each driver error that is no fault of our code becomes a domain error, with its cause."""
    with pytest.raises(kind, match="The database at host:1 ") as caught, translated_errors("host:1"):
        raise error
    assert type(caught.value) is kind
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [InvalidOperation("x"), ValueError("x")])
def test_other_errors_pass(error: Exception) -> None:
    """An error that indicates a fault in our code passes unchanged."""
    with pytest.raises(type(error)) as caught, translated_errors():
        raise error
    assert caught.value is error


def test_an_error_of_the_server_is_named_and_not_quoted(environment: DatabaseEnvironment) -> None:
    """A server error is reported by code and name, without its message, which may quote a document."""
    with open_sync_client(environment) as client:
        collection = client[environment.database][COLLECTION]
        collection.insert_one({"_id": "4111111111111111"})
        with (
            pytest.raises(DatabaseRefusedError, match=r"\(code 11000, DuplicateKey\)") as caught,
            translated_errors(environment.address),
        ):
            collection.find_one_and_update(
                {"vendor": "new"}, {"$setOnInsert": {"_id": "4111111111111111"}}, upsert=True
            )
    assert "4111" not in str(caught.value)


async def test_awaiting_code_is_translated(environment: DatabaseEnvironment) -> None:
    """An awaited operation that exceeds its time limit on the server raises a timeout error."""
    async with open_client(environment) as client:
        collection = client[environment.database][COLLECTION]
        await collection.insert_one({"_id": "a"})
        slow = collection.find({"$where": "sleep(10000) || true"}).max_time_ms(1)
        with pytest.raises(DatabaseTimeoutError), translated_errors(environment.address):
            await slow.to_list()


async def test_cancelled_code_stays_cancelled() -> None:
    """A cancellation is not translated into a database error."""
    with pytest.raises(asyncio.CancelledError), translated_errors():
        raise asyncio.CancelledError


def test_accepting_server_is_described(environment: DatabaseEnvironment, mongod: EmbeddedServer) -> None:
    """A server that accepts the credentials is described by version, replica set and user."""
    state = check_server(environment)
    assert state.outcome is ConnectionOutcome.ACCEPTED
    assert (state.version, state.replica_set, state.user) == (mongod.version, "embedded", "owner")


def test_wrong_credentials_are_refused(environment: DatabaseEnvironment) -> None:
    """A wrong password is refused, given by parts or by URI, and appears in no message."""
    wrong = environment.with_credentials(Credentials("owner", "wrong-secret"))
    by_uri = DatabaseEnvironment(uri=wrong.connection_uri)
    for state in (check_server(wrong), check_server(by_uri)):
        assert state.outcome is ConnectionOutcome.REFUSED
        assert isinstance(state.build_error(), DatabaseRefusedError)
        assert environment.address in state.message
        assert "wrong-secret" not in repr(state)


def test_other_programs_are_not_taken_for_a_server(environment: DatabaseEnvironment) -> None:
    """A program that stays silent or speaks another protocol is distinguished from a port where nothing listens."""
    with _silent_listener() as silent, _web_server() as web:
        assert check_server(replace(environment, port=silent)).outcome is ConnectionOutcome.FOREIGN
        assert check_server(replace(environment, port=web)).outcome is ConnectionOutcome.FOREIGN
    assert check_server(replace(environment, port=silent)).outcome is ConnectionOutcome.SILENT


def test_options_of_a_uri_are_kept(environment: DatabaseEnvironment) -> None:
    """Connection options in the URI are kept, and those it omits get our defaults."""
    uri = f"{environment.connection_uri}&maxPoolSize=3&serverSelectionTimeoutMS=1234"
    with open_sync_client(DatabaseEnvironment(uri=uri)) as client:
        assert client.options.pool_options.max_pool_size == 3
        assert client.options.server_selection_timeout == 1.234
        assert client.options.pool_options.connect_timeout == 3
        assert client.options.pool_options.appname == "transactions-gateway"


async def test_pool_without_a_limit_answers(environment: DatabaseEnvironment) -> None:
    """With `maxPoolSize=0`, which means no limit, queries are answered instead of being refused as too many."""
    async with open_client(DatabaseEnvironment(uri=f"{environment.connection_uri}&maxPoolSize=0")) as client:
        repository = TransactionRepository(client, environment.database, timeout_ms=10_000)
        assert await repository.count(build_count_plan(TransactionFilter())) == 0


@pytest.mark.parametrize("mechanism", ["MONGODB-AWS", "GSSAPI"])
def test_option_that_the_driver_cannot_follow_is_named(environment: DatabaseEnvironment, mechanism: str) -> None:
    """A mechanism that needs a missing package is a configuration error that names the option."""
    uri = f"mongodb://user:secret-password@{environment.address}/shop?authMechanism={mechanism}"
    with pytest.raises(ConfigurationError, match=r"mongo_uri .* authMechanism .* SCRAM-SHA-256") as caught:
        check_server(DatabaseEnvironment(uri=uri))
    assert "secret" not in str(caught.value)


def test_options_that_do_not_go_together_are_named(environment: DatabaseEnvironment) -> None:
    """Contradictory options are a configuration error that names them."""
    with pytest.raises(ConfigurationError, match=r"journal, w\b"):
        check_server(DatabaseEnvironment(uri=f"mongodb://{environment.address}/shop?w=0&journal=true"))


@pytest.mark.parametrize("option", ["tlsCAFile", "tlsCRLFile", "tlsCertificateKeyFile"])
def test_file_without_a_certificate_is_named(environment: DatabaseEnvironment, tmp_path: Path, option: str) -> None:
    """A file without a certificate is a configuration error that names the option."""
    path = tmp_path / "empty.pem"
    path.touch()
    with pytest.raises(ConfigurationError, match=rf"mongo_uri .*{option.lower()}"):
        check_server(DatabaseEnvironment(uri=f"mongodb://{environment.address}/shop?tls=true&{option}={path}"))


@pytest.mark.parametrize("mechanism", ["PLAIN", "MONGODB-X509"])
def test_mechanism_that_the_server_does_not_take_is_named(environment: DatabaseEnvironment, mechanism: str) -> None:
    """A server that does not support the mechanism counts as refusing the credentials, not as still starting."""
    user = "u:p@" if mechanism == "PLAIN" else ""
    state = check_server(
        DatabaseEnvironment(uri=f"mongodb://{user}{environment.address}/shop?authMechanism={mechanism}")
    )
    assert state.outcome is ConnectionOutcome.REFUSED
    assert "authMechanism" in state.message


async def test_unknown_compressor_is_done_without(environment: DatabaseEnvironment) -> None:
    """A compressor unknown to the driver raises no warning (an error in these tests), however the client is opened."""
    compressed = DatabaseEnvironment(uri=f"{environment.connection_uri}&compressors=zstd,foo")
    assert check_server(compressed).outcome is ConnectionOutcome.ACCEPTED
    open_sync_client(compressed).close()
    await open_client(compressed).close()


async def test_a_database_that_was_never_there_is_away() -> None:
    """A client that never reaches a server reports it once, and reports nothing when it is closed."""
    told: asyncio.Queue[str] = asyncio.Queue()
    monitor = PrimaryMonitor(lambda: told.put_nowait("away"), lambda: told.put_nowait("back"))
    nowhere = DatabaseEnvironment(uri=f"mongodb://127.0.0.1:{find_free_port()}/shop?serverSelectionTimeoutMS=100")
    async with open_client(nowhere, [monitor]) as client, asyncio.timeout(DEADLINE_SECONDS):
        with pytest.raises(ServerSelectionTimeoutError):
            await client.admin.command("ping")
        assert await told.get() == "away"
    assert told.empty()


async def test_a_user_that_is_there_again_is_served_again(
    reader_environment: DatabaseEnvironment, reader_credentials: Credentials, admin: MongoClient[dict[str, Any]]
) -> None:
    """A client whose user was dropped is refused, and served again soon after the user is recreated."""
    database = admin[reader_environment.database]
    async with open_client(reader_environment) as client:
        collection = client[reader_environment.database][COLLECTION]
        await asyncio.gather(*(collection.find_one() for _ in range(10)))
        user = database.command("usersInfo", reader_credentials.username)["users"][0]
        database.command("dropUser", reader_credentials.username)
        with pytest.raises(DatabaseRefusedError), translated_errors():
            await collection.find_one()
        database.command("createUser", user["user"], pwd=reader_credentials.password, roles=user["roles"])
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not await _is_answered(collection):
                pass


async def _is_answered(collection: AsyncCollection[dict[str, Any]]) -> bool:
    try:
        await collection.find_one()
    except OperationFailure:
        return False
    return True
