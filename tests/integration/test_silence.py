"""When no server can be used, the operator is told why, as far as that can be known."""

import socket
import subprocess
from collections.abc import Iterator

import pytest

from database.client import ConnectionOutcome, check_server
from database.embedded import EmbeddedServer
from database.environment import DatabaseEnvironment
from database.program import get_program
from tests.issuer import write_certificate
from tests.waiting import find_free_port, wait_until


def find_message(address: str, options: str) -> str:
    """Return the message about a server that cannot be used."""
    state = check_server(DatabaseEnvironment(uri=f"mongodb://{address}/shop?serverSelectionTimeoutMS=1000&{options}"))
    assert state.outcome is ConnectionOutcome.SILENT
    return state.message


@pytest.fixture(scope="module")
def secure_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server that requires TLS and client certificates."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, port = write_certificate(folder), find_free_port()
    pair = folder / "pair.pem"
    pair.write_bytes((folder / "key.pem").read_bytes() + certificate.read_bytes())
    own = (f"--port={port}", f"--dbpath={folder}", "--nounixsocket", "--bind_ip=127.0.0.1")
    tls = ("--tlsMode=requireTLS", f"--tlsCertificateKeyFile={pair}", f"--tlsCAFile={certificate}")
    with subprocess.Popen([*get_program().command, *own, *tls], stdout=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: _is_listening(port), "mongod")
            yield port
        finally:
            process.kill()


def _is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_certificate_that_is_not_trusted_is_told(secure_port: int) -> None:
    """The message names the reason why a certificate is not accepted, and the option that fixes it."""
    message = find_message(f"127.0.0.1:{secure_port}", "tls=true")
    assert "its certificate is not accepted (self-signed certificate" in message
    assert message.endswith("tlsCAFile names the authority's.")


def test_server_that_wants_tls_is_told(secure_port: int) -> None:
    """The message says that a server that closes each connection may require TLS."""
    assert "it may require TLS (tls=true)" in find_message(f"127.0.0.1:{secure_port}", "tls=false")


def test_server_without_tls_is_told(environment: DatabaseEnvironment) -> None:
    """The message says that a server does not use TLS."""
    assert "it does not use TLS" in find_message(environment.address, "tls=true")


def test_name_of_another_replica_set_is_told(mongod: EmbeddedServer) -> None:
    """The message says that a server is not in the replica set that the URI names."""
    assert "the replica set that replicaSet names" in find_message(mongod.admin.address, "replicaSet=other")


def test_name_that_is_not_known_is_told() -> None:
    """The message says that the host name of a URI is not known."""
    assert find_message("nowhere.invalid:27017", "tls=false").endswith("a host name is not known.")


def test_server_that_is_away_is_told_as_that() -> None:
    """Where nothing listens, the message gives no reason."""
    address = f"127.0.0.1:{find_free_port()}"
    assert find_message(address, "tls=false") == f"No database answers at {address}."
