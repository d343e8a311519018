"""Live transactions in a real browser's EventSource, which reconnects by itself."""

from pathlib import Path

from playwright.sync_api import Page

from database.embedded import EmbeddedServer
from schema.context import read_clock_ms
from tests.conftest import serve_database
from tests.process import run_gateway
from tests.waiting import find_free_port, wait_until

_LISTEN = """
window.names = [];
window.source = new EventSource("/transactions/live");
window.source.addEventListener("transaction", event => window.names.push(JSON.parse(event.data)._id));
"""


def test_a_page_misses_nothing_while_the_gateway_restarts(mongod: EmbeddedServer, tmp_path: Path, page: Page) -> None:
    """After a gateway restart, a page that had received no event yet gets what was added meanwhile, once."""
    with serve_database(mongod, tmp_path) as served:
        port, folder = find_free_port(), tmp_path / "listened"
        folder.mkdir()
        with run_gateway(served.owner, port, folder) as gateway:
            page.goto(f"{gateway.url}/graphql")
            page.evaluate(_LISTEN)
            wait_until(lambda: page.evaluate("source.readyState === EventSource.OPEN"), "the stream")
        served.collection.insert_one({"_id": "missed", "date": read_clock_ms()})
        with run_gateway(served.owner, port, folder):
            wait_until(lambda: page.evaluate("names.includes('missed')"), "what was missed")
            served.collection.insert_one({"_id": "next", "date": read_clock_ms()})
            wait_until(lambda: page.evaluate("names.includes('next')"), "what came next")
            assert page.evaluate("names") == ["missed", "next"]
