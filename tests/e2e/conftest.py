"""Fixtures: a real Chromium in front of a real gateway with seeded transactions."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from database.embedded import EmbeddedServer
from seeding.seeder import seed
from tests.browser import build_launch_options
from tests.conftest import ServedDatabase, serve_database
from tests.process import GatewayProcess
from tests.reference import Document
from tests.stage import VISITOR, serve_still, stop_clock
from tests.trouble import note_troubles

SEEDED = 2_000
# For Playwright's expectations: the machine may be busy with other tests.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Playwright's launch arguments: our browser, which may contact no other host than this machine."""
    return {**browser_type_launch_args, **build_launch_options()}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """Playwright's context arguments: the same window, language and time zone on every machine."""
    return {**browser_context_args, **VISITOR}


@pytest.fixture(scope="session")
def seeded(mongod: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDatabase]:
    """A served database with seeded transactions."""
    with serve_database(mongod, tmp_path_factory.mktemp("e2e")) as served:
        seed(served.owner, SEEDED, seed=1)
        yield served


@pytest.fixture(scope="session")
def gateway(seeded: ServedDatabase) -> GatewayProcess:
    """The gateway of the seeded database."""
    return seeded.gateway


@pytest.fixture
def own(mongod: EmbeddedServer, tmp_path: Path) -> Iterator[ServedDatabase]:
    """An empty database and a gateway with the real clock."""
    with serve_database(mongod, tmp_path) as served:
        yield served


@pytest.fixture(scope="session")
def still(mongod: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDatabase]:
    """A served database with a stopped clock; nobody writes to it."""
    with serve_still(mongod, tmp_path_factory.mktemp("still")) as served:
        yield served


@pytest.fixture(scope="session")
def documents(still: ServedDatabase) -> Sequence[Document]:
    """The documents of the `still` database."""
    return list(still.collection.find())


@pytest.fixture
def visitor(page: Page, still: ServedDatabase) -> Iterator[Page]:
    """A page with the same stopped clock; fails the test if anything went wrong in it."""
    stop_clock(page.context)
    troubles = note_troubles(page, still.gateway.url)
    yield page
    assert troubles.faults + troubles.failures == []
