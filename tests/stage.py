"""The fixed setting for viewing pages: gateway and browser with stopped clocks, the same transactions, one window."""

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
# Not UTC, which would hide code that confuses local time with UTC.
ZONE = "Europe/Berlin"
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
# Browser context options that would otherwise depend on the machine and its user.
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
    """Run a gateway whose clock stands at NOW_MS, over the transactions of the 52 weeks before."""
    with serve_database(mongod, folder, FIXED_CLOCK_MS=str(NOW_MS), **variables) as served:
        seed(served.owner, DOCUMENTS, seed=1, until=NOW_MS)
        yield served


def build_document(number: int, **fields: Any) -> Document:
    """Return a transaction dated now."""
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
    """Fix the time at NOW on each page of a context; timers keep running."""
    context.clock.set_fixed_time(NOW)


def open_explorer(page: Page, url: str, query: str = "") -> None:
    """Open the explorer with the query string of a link, and wait until all responses have arrived."""
    page.goto(f"{url}/{query}")
    await_answers(page)


def await_answers(page: Page) -> None:
    """Wait until no part of the explorer is waiting for a response."""
    expect(page.get_by_role("heading", name="By country")).to_be_visible()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    # The library that draws charts loads later than the data.
    expect(page.locator(".plot-canvas:not(:has(canvas))")).to_have_count(0)
