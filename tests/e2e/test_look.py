"""How the explorer looks: each part where it was approved, in its colours. See tests/snapshot.py."""

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import ServedDatabase
from tests.explorer import find_chart
from tests.snapshot import find_differences, keep
from tests.stage import WIDE, open_explorer

# By name of the picture: the link, the colour scheme and the window.
LOOKS = {
    "light": ("", "light", {"width": 1280, "height": 2000}),
    "dark": ("", "dark", {"width": 1280, "height": 2000}),
    "picked": ("?days=30&card=Visa&country=DE&min=10&max=99.99", "light", WIDE),
    "empty": ("?card=Nobody", "light", WIDE),
    "faults": ("?days=ninety&country=Atlantis&colour=red", "dark", WIDE),
}

# Damage to be detected, each as a script that causes it in the page.
DAMAGES = {
    "a chart is missing": "document.querySelector('.chart-day .plot').style.visibility = 'hidden'",
    "a panel is missing": "document.querySelector('.chart-country').style.visibility = 'hidden'",
    "a panel has moved": "document.querySelector('.chart-day').style.translate = '0 48px'",
    "the filters are missing": "document.querySelector('.filters').style.visibility = 'hidden'",
    "the table is missing": "document.querySelector('[role=grid]').style.visibility = 'hidden'",
}
# As on another machine: a different, narrower font family.
OTHER_LETTERS = """
const sheet = new CSSStyleSheet();
sheet.replaceSync("* { font-family: 'Liberation Sans', Arial, sans-serif !important }");
document.adoptedStyleSheets.push(sheet);
"""


def show(page: Page, url: str, name: str) -> None:
    link, scheme, size = LOOKS[name]
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": size["width"], "height": size["height"]})
    open_explorer(page, url, link)
    if "Nobody" not in link:
        expect(find_chart(page, "By day").locator("canvas")).to_be_visible()


@pytest.mark.parametrize("name", LOOKS)
def test_the_page_looks_as_agreed(visitor: Page, still: ServedDatabase, name: str) -> None:
    """In light and dark, with and without an answer, all parts are where they were approved."""
    show(visitor, still.gateway.url, name)
    keep(visitor, name)
    assert find_differences(visitor, name) == []


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_missing_or_moved_shows(visitor: Page, still: ServedDatabase, damage: str) -> None:
    """A comparison fails if a part is missing or has moved."""
    show(visitor, still.gateway.url, "picked")
    visitor.evaluate(DAMAGES[damage])
    assert find_differences(visitor, "picked") != []


def test_other_letters_do_not_matter(visitor: Page, still: ServedDatabase) -> None:
    """A comparison passes on a machine with other fonts."""
    show(visitor, still.gateway.url, "picked")
    visitor.evaluate(OTHER_LETTERS)
    assert find_differences(visitor, "picked") == []
