"""The explorer with the longest texts that a database or a link may hold, and with values that cannot be queried."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import ServedDatabase
from tests.explorer import find_chart
from tests.stage import await_answers, build_document, open_explorer

# Elements whose content is wider than they are, or which extend beyond the window.
FIND_WIDE = """(selector) => [...document.querySelectorAll(selector)]
    .filter((box) => box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).display !== "inline"
        || box.getBoundingClientRect().right > innerWidth)
    .map((box) => box.outerHTML.slice(0, 200))"""


@pytest.mark.parametrize(
    "link",
    [
        "?days=all",
        f"?days=all&card={'C' * 64}",
        f"?days=1&card={'D' * 64}&country=DE",
        f"?{'e' * 200}=1&min={'f' * 200}&order={'g' * 200}",
    ],
)
def test_words_without_a_blank_widen_nothing(page: Page, own: ServedDatabase, link: str) -> None:
    """The longest card, vendor and amount, and a link's values, stay within a phone's window and their boxes."""
    vast = build_document(1, vendor="V" * 500, address="A" * 500, cardType="C" * 64, amount=1e300)
    own.collection.insert_many([vast, *(build_document(n, cardType="C" * 64, amount=999999999999.99) for n in (2, 3))])
    own.collection.insert_one(build_document(4, currency="USD"))
    page.set_viewport_size({"width": 320, "height": 640})
    open_explorer(page, own.gateway.url, link)
    if (slider := page.get_by_role("slider")).is_visible():
        slider.focus()
        expect(page.locator(".plot-tooltip")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.evaluate(FIND_WIDE, ".chip, .fault, .banner, .empty, .legend, .sums li, .plot-tooltip") == []
    if (row := page.locator("#row-0")).is_visible():
        page.get_by_role("button", name="Amount").click()
        await_answers(page)
        row.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        assert page.evaluate(FIND_WIDE, "dialog") == []


@pytest.mark.parametrize(
    ("chart", "own_name", "foreign"),
    [("By country", "Germany", {"countryOrigin": "GERMANY"}), ("By card", "Visa", {"cardType": "C" * 65})],
)
def test_what_cannot_be_asked_for_is_only_shown(
    page: Page, own: ServedDatabase, chart: str, own_name: str, foreign: dict[str, str]
) -> None:
    """A country stored by name, and a card type that is too long, have a bar but cannot be selected."""
    own.collection.insert_many([build_document(1), build_document(2, **foreign)])
    open_explorer(page, own.gateway.url)
    bars = find_chart(page, chart)
    expect(bars.locator(".bar")).to_have_count(2)
    expect(bars.locator("button.bar")).to_have_text(re.compile(own_name))
    expect(page.locator("button.choice", has_text="C" * 65)).to_have_count(0)
