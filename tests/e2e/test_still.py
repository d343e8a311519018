"""The fixed stage for viewing pages, where time stands still."""

import httpx
from playwright.sync_api import Page

from tests.conftest import ServedDatabase
from tests.reference import Question, select
from tests.stage import NOW_MS


def test_windows_end_at_the_fixed_time(still: ServedDatabase) -> None:
    """The gateway counts and lists the days before the fixed time, not before today."""
    documents = list(still.collection.find())
    for days in (1, 30, 90):
        listed = httpx.get(f"{still.gateway.url}/transactions/{days}").json()
        assert listed == select(documents, Question(days=days), NOW_MS)
        counted = httpx.get(f"{still.gateway.url}/transactions/{days}/card/Visa").json()
        assert counted == {"count": len(select(documents, Question(days=days, card_type="Visa"), NOW_MS))}


def test_a_page_has_the_same_time(visitor: Page, still: ServedDatabase) -> None:
    """The browser's clock shows the gateway's fixed time, in a zone that is not the machine's."""
    visitor.goto(f"{still.gateway.url}/health/live")
    assert visitor.evaluate("Date.now()") == NOW_MS
    assert visitor.evaluate("new Intl.DateTimeFormat().resolvedOptions().timeZone") == "Europe/Berlin"
