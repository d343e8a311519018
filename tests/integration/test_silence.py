"""Where no server can be used, an operator is told why, as far as it can be known."""

import socket
import subprocess
from collections.abc import Iterator

import pytest

from database.client import Answer, check_server
from database.embedded import EmbeddedServer
from database.environment import DatabaseEnvironment
from database.program import get_program
from tests.issuer import write_certificate
from tests.waiting import find_free_port, wait_until


def find_message(address: str, options: str) -> str:
    """Give what is said of a server that cannot be used."""
    state = check_server(DatabaseEnvironment(uri=f"mongodb://{address}/shop?serverSelectionTimeoutMS=1000&{options}"))
    assert state.answer is Answer.SILENT
    return state.message


@pytest.fixture(scope="module")
def secure_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server that wants TLS, and a certificate of each client."""
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
    """Of a server whose certificate is not accepted it is told why, and by which option to mend it."""
    message = find_message(f"127.0.0.1:{secure_port}", "tls=true")
    assert "its certificate is not accepted (self-signed certificate" in message
    assert message.endswith("tlsCAFile names the authority's.")


def test_server_that_wants_tls_is_told(secure_port: int) -> None:
    """Of a server that ends each connection it is told that it may want TLS."""
    assert "wants TLS (tls=true)" in find_message(f"127.0.0.1:{secure_port}", "tls=false")


def test_server_without_tls_is_told(environment: DatabaseEnvironment) -> None:
    """Of a server that does not speak TLS it is told so."""
    assert "it does not use TLS" in find_message(environment.address, "tls=true")


def test_name_of_another_replica_set_is_told(mongod: EmbeddedServer) -> None:
    """Of a server that is of another replica set than the URI names it is told so."""
    assert "the replica set that replicaSet names" in find_message(mongod.admin.address, "replicaSet=other")


def test_name_that_is_not_known_is_told() -> None:
    """Of a URI whose host has no address it is told so."""
    assert find_message("nowhere.invalid:27017", "tls=false").endswith("a host name is not known.")


def test_server_that_is_away_is_told_as_that() -> None:
    """Of an address where nothing listens no more is told."""
    address = f"127.0.0.1:{find_free_port()}"
    assert find_message(address, "tls=false") == f"No database answers at {address}."
