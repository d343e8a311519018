"""What pages are looked at on: a gateway and a browser whose clocks stand still, the same transactions, one window."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

from database.embedded import EmbeddedServer
from schema.context import read_clock_ms
from seeding.seeder import seed
from tests.conftest import ServedDatabase, serve_database
from tests.reference import Document

DOCUMENTS = 20_000
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
# Not UTC, which would hide who takes one for the other.
ZONE = "Europe/Berlin"
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
# Of a browser's context: what would otherwise be the machine's and its owner's.
VISITOR: dict[str, Any] = {
    "viewport": WIDE,
    "device_scale_factor": 1,
    "locale": "en-US",
    "timezone_id": ZONE,
    "color_scheme": "light",
    "reduced_motion": "reduce",
}


@contextmanager
def serve_still(mongod: EmbeddedServer, folder: Path, **variables: str) -> Iterator[ServedDatabase]:
    """Give a gateway for which it is always NOW_MS, with the transactions of the 52 weeks before."""
    with serve_database(mongod, folder, FIXED_CLOCK_MS=str(NOW_MS), **variables) as served:
        seed(served.owner, DOCUMENTS, seed=1, until=NOW_MS)
        yield served


def build_document(number: int, **fields: Any) -> Document:
    """Give a transaction of this moment."""
    return {
        "_id": f"00000000-0000-4000-8000-{number:012}",
        "date": read_clock_ms(),
        "currency": "EUR",
        "amount": 12.5,
        "vendor": f"Vendor {number}",
        "address": "1 Main Street\nSpringfield",
        "cardType": "Visa",
        "cardNumber": "4111111111111111",
        "countryOrigin": "DE",
        **fields,
    }


def stop_clock(context: BrowserContext) -> None:
    """Let it be NOW on each page of a context; timers go on."""
    context.clock.set_fixed_time(NOW)


def open_explorer(page: Page, url: str, query: str = "") -> None:
    """Open the explorer with the query of a link, and wait until it has answered it."""
    page.goto(f"{url}/{query}")
    await_answers(page)


def await_answers(page: Page) -> None:
    """Wait until no part of the explorer waits for an answer."""
    expect(page.get_by_role("heading", name="By country")).to_be_visible()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    # What draws comes later than what is drawn.
    expect(page.locator(".plot-canvas:not(:has(canvas))")).to_have_count(0)
