"""Open clients, check whether a server answers, and translate driver errors into domain errors.

It keeps no client of its own and reads no data.
"""

import enum
import socket
import ssl
import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import (
    ConfigurationError,
    OperationFailure,
    PyMongoError,
)
from pymongo.monitoring import CommandListener, ConnectionPoolListener, TopologyListener

from database import errors
from database.address import SRV
from database.environment import DatabaseEnvironment
from database.errors import (
    DatabaseError,
    DatabaseRefusedError,
    DatabaseUnavailableError,
)
from database.renewal import Renewal
from database.translation import CREDENTIALS_CODES, find_reason, translate

Listener: TypeAlias = CommandListener | ConnectionPoolListener | TopologyListener

OLDEST_VERSION = "6.0"
POOL_SIZE = 64
_OLDEST_WIRE_VERSION = 17  # MongoDB 6.0's

_CONNECT_MS = 3_000
# After this time plus _CONNECT_MS without a heartbeat, the driver considers the server hung: it fails the operations
# that wait for it, and reconnects once it answers. The driver's default of 10 s would keep requests waiting for 16 s.
_HEARTBEAT_MS = 2_000


def open_client(
    environment: DatabaseEnvironment, listeners: Sequence[Listener] = ()
) -> AsyncMongoClient[dict[str, Any]]:
    """Open the gateway's client, which reports to `listeners`. It connects on first use; await its close().

    Raises:
        DatabaseUnavailableError: the name of a mongodb+srv URI cannot be looked up.
    """
    with translated_errors(environment.address), _without_warnings():
        renewal = Renewal()
        options = {"event_listeners": [*listeners, renewal], **_build_options(environment)}
        renewal.client = AsyncMongoClient(environment.connection_uri, **options)
        return renewal.client


def open_sync_client(environment: DatabaseEnvironment) -> MongoClient[dict[str, Any]]:
    """Open a client for provisioning and seeding, configured as `open_client`'s; close it, or use it in a `with`."""
    with translated_errors(environment.address), _without_warnings():
        return MongoClient(environment.connection_uri, **_build_options(environment))


@contextmanager
def translated_errors(address: str | None = None) -> Iterator[None]:
    """Translate the driver's errors into domain errors; works around synchronous and asynchronous code alike.

    Args:
        address: the server's address for the message, from `DatabaseEnvironment.address`.

    Raises:
        DatabaseUnavailableError: no server answers, or it went away or is too busy; QueryEndedError if it answers but
            has ended the query.
        DatabaseTimeoutError: the server did not finish in time.
        DatabaseRefusedError: the server refuses the credentials or the operation, to this user or to everyone.
    """
    try:
        yield
    except PyMongoError as error:
        if translated := translate(error, f"The database at {address}" if address else "The database"):
            raise translated from error
        raise


class ConnectionOutcome(enum.Enum):
    """The outcome of a connection attempt."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    SILENT = "silent"
    FOREIGN = "foreign"
    TOO_OLD = "too old"


@dataclass(frozen=True, slots=True)
class ServerState:
    """What `check_server` found.

    Attributes:
        environment: the one that was checked; if the server accepted, with the `auth_source` that it accepted.
        message: one or two sentences for a person, without any credential.
        version, replica_set, user: set only if the server accepted; `replica_set` is None for a standalone server.
    """

    outcome: ConnectionOutcome
    environment: DatabaseEnvironment
    message: str
    version: str | None = None
    replica_set: str | None = None
    user: str | None = None

    def build_error(self) -> DatabaseError:
        """Build the error that explains the failure; for any outcome except ACCEPTED."""
        kind = DatabaseRefusedError if self.outcome is ConnectionOutcome.REFUSED else DatabaseUnavailableError
        return kind(self.message)


def check_server(environment: DatabaseEnvironment) -> ServerState:
    """Check what answers at an address and whether it accepts the credentials, within a few seconds.

    A user given in parts is looked up in the database itself, then in `admin`, where MongoDB's tools keep theirs.

    Raises:
        ConfigurationError: the driver cannot follow the URI's options; the message names them.
    """
    address = environment.address
    if environment.uri is None and (silence := _find_silence(environment)):
        return ServerState(ConnectionOutcome.SILENT, environment, silence)

    attempts = [environment]
    if environment.uri is None and environment.auth_source is None:
        attempts.append(replace(environment, auth_source="admin"))
    for attempt in attempts:
        try:
            return _read_state(attempt)
        except OperationFailure as error:
            translated = translate(error, f"The database at {address}")
            if not isinstance(translated, DatabaseRefusedError):
                return ServerState(
                    ConnectionOutcome.SILENT, environment, f"The database at {address} is not ready to answer."
                )
            if error.code not in CREDENTIALS_CODES:
                return ServerState(ConnectionOutcome.REFUSED, environment, str(translated))
        except (PyMongoError, ssl.SSLError) as error:
            return _describe_no_answer(environment, error)
    who = f" of user {environment.username!r}" if environment.username else ""
    remedy = "mongo_username and mongo_password, or mongo_uri"
    if "authmechanism" in environment.uri_options:
        remedy = "mongo_uri: its user, its password or its authMechanism"
    return ServerState(
        ConnectionOutcome.REFUSED,
        environment,
        f"The database at {address} answers but refuses the credentials{who}. Correct {remedy}.",
    )


def _read_state(environment: DatabaseEnvironment) -> ServerState:
    options = {"socketTimeoutMS": _CONNECT_MS, **_build_options(environment)}
    with _without_warnings():
        opened = MongoClient[dict[str, Any]](environment.connection_uri, **options)
    with opened as client:
        hello = client.admin.command("hello")
        version = str(client.server_info()["version"])
        if hello["maxWireVersion"] < _OLDEST_WIRE_VERSION:
            return ServerState(ConnectionOutcome.TOO_OLD, environment, _describe_old(environment.address, version))
        users = client.admin.command("connectionStatus")["authInfo"]["authenticatedUsers"]
    replica_set = hello.get("setName")
    user = str(users[0]["user"]) if users else None
    message = f"MongoDB {version} answers at {environment.address}."
    return ServerState(ConnectionOutcome.ACCEPTED, environment, message, version, replica_set, user)


def _find_silence(environment: DatabaseEnvironment) -> str | None:
    """Return why nothing can be reached at a host and port, or None if something listens there.

    It runs before the driver, which would wait for seconds where the system refuses the connection at once.
    """
    try:
        socket.create_connection((environment.host.strip("[]"), environment.port), _CONNECT_MS / 1000).close()
    except socket.gaierror:
        return f"The host name of the database at {environment.address} is not known."
    except (OSError, UnicodeError):
        return f"Nothing answers at {environment.address}."
    return None


def _describe_no_answer(environment: DatabaseEnvironment, error: PyMongoError | ssl.SSLError) -> ServerState:
    address = environment.address
    if isinstance(error, ConfigurationError) and "wire version" in str(error):
        return ServerState(ConnectionOutcome.TOO_OLD, environment, _describe_old(address, None))
    # The driver raises a bare SSLError if a certificate file holds no certificate; it wraps TLS faults of the server.
    if isinstance(error, ConfigurationError | ssl.SSLError):
        # A mongodb+srv name is resolved by DNS: an error with a cause is a failed look-up.
        if environment.uri and environment.uri.startswith(SRV) and error.__cause__ is not None:
            return ServerState(ConnectionOutcome.SILENT, environment, f"The name {address} cannot be looked up.")
        raise errors.ConfigurationError(_describe_options(environment)) from error
    if environment.uri is not None:
        reason = find_reason(error)
        message = f"No database answers at {address}{f': {reason}' if reason else ''}."
        return ServerState(ConnectionOutcome.SILENT, environment, message)
    return ServerState(
        ConnectionOutcome.FOREIGN,
        environment,
        f"Something listens at {address} and does not answer as MongoDB does: another program has this port,"
        " or the server is stuck, or it requires TLS (then give mongo_uri, with tls=true)."
        " Another port is set by mongo_port (MONGO_PORT).",
    )


def _describe_options(environment: DatabaseEnvironment) -> str:
    """Describe the URI options that the driver cannot follow. Its own message may quote a value and is never shown."""
    if "authmechanism" in environment.uri_options:
        return (
            "mongo_uri cannot be used: its authMechanism needs a package that is not installed, or does not go with the"
            " user and password beside it; SCRAM-SHA-256, SCRAM-SHA-1 and MONGODB-X509 can be used."
        )
    names = ", ".join(sorted(environment.uri_options))
    return f"mongo_uri cannot be used: its options do not fit together, or do not fit the server ({names})."


def _describe_old(address: str, version: str | None) -> str:
    which = f"MongoDB {version}" if version else "a MongoDB"
    return f"The server at {address} is {which}, which is too old: {OLDEST_VERSION} or later is needed."


def _without_warnings() -> AbstractContextManager[None]:
    """Silence the driver's warning, on creating a client, that it will do without a compressor not installed here."""
    return warnings.catch_warnings(action="ignore", category=UserWarning)


def _build_options(environment: DatabaseEnvironment) -> dict[str, Any]:
    """Build the driver's options, except those that the environment's URI sets; only the URI can enable compression."""
    options: dict[str, Any] = {
        "appname": "transactions-gateway",
        "connectTimeoutMS": _CONNECT_MS,
        "serverSelectionTimeoutMS": _CONNECT_MS,
        "heartbeatFrequencyMS": _HEARTBEAT_MS,
        # No `waitQueueTimeoutMS`: the repository rejects queries before they wait for a connection, and a list in
        # progress would lose its cursor.
        "maxPoolSize": POOL_SIZE,
        "retryReads": True,
        "retryWrites": True,
    }
    return {name: value for name, value in options.items() if name.lower() not in environment.uri_options}
