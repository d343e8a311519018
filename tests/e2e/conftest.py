"""A real Chromium in front of a real gateway with seeded transactions."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from database.embedded import EmbeddedServer
from seeding.seeder import seed
from tests.browser import find_browser
from tests.conftest import ServedDatabase, serve_database
from tests.process import GatewayProcess

SEEDED = 2_000


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Playwright's arguments: our browser, which may ask no other host than this machine."""
    arguments = [
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        "--disable-background-networking",
        "--disable-component-update",
        "--no-first-run",
    ]
    # Chromium's sandbox refuses to start as root.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {**browser_type_launch_args, "executable_path": find_browser(), "args": arguments + sandbox}


@pytest.fixture(scope="session")
def seeded(mongod: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDatabase]:
    """A served database with seeded transactions."""
    with serve_database(mongod, tmp_path_factory.mktemp("e2e")) as served:
        seed(served.owner, SEEDED, seed=1)
        yield served


@pytest.fixture(scope="session")
def gateway(seeded: ServedDatabase) -> GatewayProcess:
    """The gateway that serves them."""
    return seeded.gateway
