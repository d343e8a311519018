"""The explorer without sight or pointer: axe's rules in each state, and operation by keyboard."""

from collections.abc import Callable, Sequence

import pytest
from playwright.sync_api import Page, expect

from tests.axe import find_violations
from tests.conftest import ServedDatabase
from tests.explorer import find_chart, read_total
from tests.reference import Document, Question, select
from tests.stage import NOW_MS, PHONE, WIDE, await_answers, open_explorer


def show_plainly(_page: Page) -> None:
    """Leave the page as it opens."""


def show_details(page: Page) -> None:
    page.get_by_role("grid").locator("#row-0").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def show_key_dialog(page: Page) -> None:
    page.get_by_role("button", name="API key").click()
    page.get_by_label("API key or token").fill("not a key")
    page.get_by_role("button", name="Use this key").click()
    expect(page.get_by_role("alert")).to_be_visible()


def show_countries(page: Page) -> None:
    disclosure = page.get_by_role("button", name="Filters", exact=True)
    if disclosure.is_visible():
        disclosure.click()
    page.get_by_role("combobox", name="Country").press("ArrowDown")
    expect(page.get_by_role("listbox")).to_be_visible()


def show_tables(page: Page) -> None:
    for toggle in page.get_by_role("button", name="Table").all():
        toggle.click()


STATES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "first visit": ("", show_plainly),
    "picked": ("?days=30&card=Visa&country=DE&min=10&max=99.99", show_plainly),
    "tables": ("", show_tables),
    "details": ("", show_details),
    "key": ("", show_key_dialog),
    "countries": ("", show_countries),
    "empty": ("?card=Nobody", show_plainly),
    "faults": ("?days=ninety&country=Atlantis&min=9&max=1&colour=red", show_plainly),
}


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_rule_of_accessibility_is_broken(
    visitor: Page, still: ServedDatabase, scheme: str, size: dict[str, int]
) -> None:
    """In each state of the page, axe finds no violation of WCAG 2.2 A and AA."""
    visitor.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    visitor.set_viewport_size({"width": size["width"], "height": size["height"]})
    found = {}
    for name, (link, show) in STATES.items():
        open_explorer(visitor, still.gateway.url, link)
        show(visitor)
        found[name] = find_violations(visitor)
    assert {name: violations for name, violations in found.items() if violations} == {}


def test_nothing_is_cut_off_on_a_narrow_phone(visitor: Page, still: ServedDatabase) -> None:
    """At 320 CSS pixels the page does not scroll sideways (WCAG 2.2, 1.4.10)."""
    visitor.set_viewport_size({"width": 320, "height": 640})
    open_explorer(visitor, still.gateway.url)
    assert visitor.evaluate("document.documentElement.scrollWidth") <= 320


def press_tab_until(page: Page, is_there: str) -> None:
    """Press Tab until the focused element satisfies a JavaScript expression over `focused`."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate(f"(() => {{ const focused = document.activeElement; return {is_there}; }})()"):
            return
    pytest.fail(f"no Tab led to where {is_there}")


def test_the_first_tab_leads_past_the_filters(visitor: Page, still: ServedDatabase) -> None:
    """The first tab stop is a link that skips to the answer (WCAG 2.2, 2.4.1)."""
    open_explorer(visitor, still.gateway.url)
    visitor.keyboard.press("Tab")
    expect(visitor.get_by_role("link", name="Skip to the answer")).to_be_focused()
    visitor.keyboard.press("Enter")
    expect(visitor.get_by_role("main")).to_be_focused()


def test_the_way_past_the_filters_asks_nothing(visitor: Page, still: ServedDatabase) -> None:
    """Skipping to the answer sends no query; the next query is sent once."""
    open_explorer(visitor, still.gateway.url)
    asked: list[str] = []
    visitor.on("request", lambda request: asked.append(request.post_data or ""))
    visitor.get_by_role("link", name="Skip to the answer").press("Enter")
    expect(visitor.get_by_role("main")).to_be_focused()
    visitor.get_by_role("button", name="Amount").press("Enter")
    await_answers(visitor)
    assert len([body for body in asked if "query Rows(" in body]) == 1


def test_a_question_is_asked_by_keys_alone(visitor: Page, still: ServedDatabase, documents: Sequence[Document]) -> None:
    """Period, card, country, a chart's bar and a row's details can be reached by Tab and operated by keys."""
    open_explorer(visitor, still.gateway.url)
    press_tab_until(visitor, "focused.getAttribute('aria-label')?.includes('Last 30 days')")
    visitor.keyboard.press("Space")
    await_answers(visitor)
    press_tab_until(visitor, "focused.role === 'combobox' || focused.id === 'country'")
    visitor.keyboard.type("united st")
    visitor.keyboard.press("ArrowDown")
    visitor.keyboard.press("Enter")
    await_answers(visitor)
    press_tab_until(visitor, "focused.closest('.chart-card') && focused.textContent.includes('Mastercard')")
    visitor.keyboard.press("Enter")
    await_answers(visitor)
    question = Question(days=30, card_type="Mastercard", country="US")
    expected = select(documents, question, NOW_MS)
    assert read_total(visitor) == len(expected)

    press_tab_until(visitor, "focused.getAttribute('role') === 'grid'")
    visitor.keyboard.press("ArrowDown")
    visitor.keyboard.press("Enter")
    details = visitor.get_by_role("dialog")
    expect(details).to_contain_text(expected[1]["_id"])
    visitor.keyboard.press("Escape")
    expect(details).to_be_hidden()
    expect(visitor.get_by_role("grid")).to_be_focused()


def test_a_bar_keeps_the_focus_when_it_is_picked(visitor: Page, still: ServedDatabase) -> None:
    """After Enter a bar keeps the focus, so that another Enter deselects it."""
    open_explorer(visitor, still.gateway.url)
    bar = find_chart(visitor, "By card").get_by_role("button", name="Amex")
    bar.focus()
    visitor.keyboard.press("Enter")
    await_answers(visitor)
    expect(bar).to_be_focused()
    expect(bar).to_have_attribute("aria-pressed", "true")
    visitor.keyboard.press("Enter")
    await_answers(visitor)
    expect(bar).to_be_focused()
    expect(bar).to_have_attribute("aria-pressed", "false")


def test_a_chart_by_amount_is_one_stop_with_arrows(visitor: Page, still: ServedDatabase) -> None:
    """The histogram's columns are one tab stop, between which arrow keys move."""
    open_explorer(visitor, still.gateway.url)
    columns = find_chart(visitor, "By amount").locator(".column")
    expect(columns.locator("visible=true").first).to_have_attribute("tabindex", "0")
    columns.first.focus()
    visitor.keyboard.press("ArrowRight")
    expect(columns.nth(1)).to_be_focused()
    visitor.keyboard.press("End")
    expect(columns.last).to_be_focused()


def test_a_filter_that_is_removed_leaves_the_focus_where_it_was(visitor: Page, still: ServedDatabase) -> None:
    """The focus moves to the chip in the removed one's position, and to the answer after the last chip."""
    open_explorer(visitor, still.gateway.url, "?days=30&card=Visa&country=DE")
    chips = visitor.get_by_role("list", name="Active filters").get_by_role("button")
    chips.nth(1).focus()
    for name in ("Germany", "Last 30 days"):
        visitor.keyboard.press("Enter")
        expect(visitor.get_by_role("button", name=f"Remove the filter {name}")).to_be_focused()
    visitor.keyboard.press("Enter")
    expect(chips).to_have_count(0)
    expect(visitor.get_by_role("main")).to_be_focused()


@pytest.mark.parametrize(("key", "place"), [("ArrowDown", 0), ("ArrowUp", -1)])
def test_arrows_enter_the_list_of_countries_at_its_ends(
    visitor: Page, still: ServedDatabase, key: str, place: int
) -> None:
    """With no country chosen, Arrow Down selects the first match of the typed text, and Arrow Up the last."""
    open_explorer(visitor, still.gateway.url)
    visitor.get_by_role("combobox", name="Country").fill("united")
    visitor.keyboard.press(key)
    options = visitor.get_by_role("option")
    assert options.count() > 2
    expect(options.nth(place)).to_have_attribute("aria-selected", "true")
