"""Run a mongod and a gateway for the duration of a benchmark."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from database.embedded import EmbeddedServer, open_embedded_server
from database.environment import DatabaseEnvironment
from database.provision import provision
from tests.process import GatewayProcess, run_gateway
from tests.waiting import find_free_port


@contextmanager
def open_server(folder: Path) -> Iterator[EmbeddedServer]:
    """Run a mongod with its data in `folder`."""
    environment = DatabaseEnvironment("owner", "benchmark", "127.0.0.1", find_free_port(), "unused")
    with open_embedded_server(environment, folder / "mongod") as server:
        yield server


@contextmanager
def serve_database(
    server: EmbeddedServer, folder: Path, workers: int
) -> Iterator[tuple[DatabaseEnvironment, GatewayProcess]]:
    """Provision a database and run a gateway that serves it without a log line for each request."""
    environment = replace(server.admin, database="benchmark")
    provision(environment)
    with run_gateway(environment, find_free_port(), folder, workers, GATEWAY_LOG_LEVEL="error") as gateway:
        yield environment, gateway
