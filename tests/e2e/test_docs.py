"""The API reference as a user sees it: in a real browser, on a running gateway."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from database.embedded import EmbeddedServer
from gateway.caller import Scope
from gateway.keys import create_key
from tests.conftest import ServedDatabase, serve_database
from tests.process import GatewayProcess
from tests.trouble import note_troubles

LISTS = (
    "/transactions/90?limit=20",
    "/transactions/90/country/US?limit=20",
    "/transactions/90/amount/100/999?limit=20",
)


@pytest.fixture
def reference(page: Page, gateway: GatewayProcess) -> Iterator[Page]:
    """The reference page; fails the test if the page had errors or contacted any other host."""
    troubles = note_troubles(page, gateway.url)
    open_reference(page, gateway)
    yield page
    assert troubles.faults + troubles.failures == []


def open_reference(page: Page, gateway: GatewayProcess, operation: str = "") -> None:
    page.goto(f"{gateway.url}/docs{operation}")
    expect(page.locator(".opblock").first).to_be_visible()


def open_path(page: Page, path: str) -> Locator:
    """Open the reference's section on a path, and return it."""
    block = page.locator(".opblock-get", has=page.locator(f'[data-path="{path}"]'))
    block.get_by_role("button", name=re.compile("^GET")).click()
    expect(block.get_by_role("button", name="Try it out")).to_be_visible()
    return block


def ask(block: Locator) -> Locator:
    """Send an operation's example unchanged, and return the response's row."""
    block.get_by_role("button", name="Try it out").click()
    block.get_by_role("button", name="Execute").click()
    return block.locator(".live-responses-table .response")


def test_it_is_titled_and_leads_to_the_other_pages(reference: Page, gateway: GatewayProcess) -> None:
    """The page has a title, a first heading, and links to the explorer, GraphiQL, the document and the licences."""
    expect(reference).to_have_title("API reference · Transactions gateway")
    expect(reference.get_by_role("heading", level=1)).to_contain_text("Transactions gateway")
    expect(reference.get_by_role("main")).to_have_count(1)
    for name, path in {
        "Explorer": "/",
        "GraphiQL": "/graphql",
        "OpenAPI document": "/openapi.json",
        "Licences": "/static/docs/THIRD_PARTY.txt",
    }.items():
        address = reference.get_by_role("link", name=name, exact=True).get_attribute("href")
        assert address == path
        assert reference.request.get(gateway.url + path, headers={"Accept": "text/html, */*"}).ok


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/transactions/{days}", LISTS[0]),
        ("/transactions/{days}/card/{cardType}", "/transactions/90/card/Visa"),
        ("/transactions/{days}/country/{country}", LISTS[1]),
        ("/transactions/{days}/amount/{min}/{max}", LISTS[2]),
    ],
)
def test_a_path_can_be_tried_out_as_it_stands(reference: Page, gateway: GatewayProcess, path: str, asked: str) -> None:
    """The example of each of the four paths gets a response, a list with one page of rows."""
    block = open_path(reference, path)
    answer = ask(block)
    expect(answer.locator(".response-col_status")).to_contain_text("200")
    expect(block.locator(".request-url pre")).to_have_text(f"{gateway.url}{asked}")
    expect(block.locator(".curl")).to_contain_text(asked)
    body = answer.locator(".microlight").first
    expect(body).to_contain_text('"count"' if "card" in path else '"_id"')
    if "card" not in path:
        assert body.inner_text().count('"_id"') == 20


def test_events_without_end_are_not_to_be_tried_out(reference: Page) -> None:
    """For live transactions the page, which can show only complete responses, names suitable clients instead."""
    block = reference.locator(".opblock-get", has=reference.locator('[data-path="/transactions/live"]'))
    block.get_by_role("button", name=re.compile("^GET")).click()
    expect(block).to_contain_text("curl -N")
    expect(block).to_contain_text("EventSource")
    expect(block.get_by_role("button", name="Try it out")).to_have_count(0)


def test_a_link_leads_to_an_operation(page: Page, gateway: GatewayProcess) -> None:
    """The URL names the open operation, and opens it again."""
    open_reference(page, gateway)
    open_path(page, "/transactions/{days}/summary")
    address = page.url
    assert address.startswith(f"{gateway.url}/docs#/transactions/")
    page.goto("about:blank")
    page.goto(address)
    expect(page.get_by_role("button", name="Try it out")).to_be_visible()


def test_a_long_list_does_not_hold_the_page_up(reference: Page) -> None:
    """With the limit removed, the whole list is shown, and the page stays usable."""
    block = open_path(reference, "/transactions/{days}")
    block.get_by_role("button", name="Try it out").click()
    block.locator('[data-param-name="limit"] input').fill("")
    block.get_by_role("button", name="Execute").click()
    answer = block.locator(".live-responses-table .response")
    expect(answer.locator(".response-col_status")).to_contain_text("200", timeout=20_000)
    assert answer.locator(".microlight").first.inner_text().count('"_id"') > 400
    block.get_by_role("button", name="Clear").click()
    expect(answer).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_follows_the_colours_that_a_person_prefers(page: Page, gateway: GatewayProcess, scheme: str) -> None:
    """The page uses the preferred colour scheme, and follows a change at once."""
    other = "dark" if scheme == "light" else "light"
    for wanted in (scheme, other):
        page.emulate_media(color_scheme="dark" if wanted == "dark" else "light")
        if wanted == scheme:
            open_reference(page, gateway)
        expect(page.locator("html")).to_have_class("dark-mode" if wanted == "dark" else "")


@pytest.fixture
def guarded(mongod: EmbeddedServer, tmp_path: Path) -> Iterator[ServedDatabase]:
    """A gateway that requires authentication."""
    with serve_database(mongod, tmp_path, GATEWAY_KEYS_FILE=str(tmp_path / "keys.json")) as served:
        yield served


def test_a_key_is_used_until_it_is_taken_back(page: Page, guarded: ServedDatabase, tmp_path: Path) -> None:
    """A key given by Authorize is sent, kept for this tab only, also on its next visit, and removed by Logout."""
    _, key = create_key(tmp_path / "keys.json", "reference", frozenset({Scope.TRANSACTIONS_READ}))
    path = "/transactions/{days}/card/{cardType}"
    open_reference(page, guarded.gateway)
    expect(ask(open_path(page, path)).locator(".response-col_status")).to_contain_text("401")
    page.get_by_role("button", name="Authorize", exact=True).first.click()
    dialog = page.locator(".dialog-ux")
    dialog.get_by_role("textbox").fill(key)
    dialog.get_by_role("button", name=re.compile("^(Authorize|Apply)")).click()
    assert page.evaluate("sessionStorage.getItem('txgw:key')") == key
    open_reference(page, guarded.gateway)
    page.reload()
    expect(ask(open_path(page, path)).locator(".response-col_status")).to_contain_text("200")
    assert page.evaluate("JSON.stringify({...localStorage}) + location.href + document.cookie").find("txgw_") == -1
    page.get_by_role("button", name="Authorize", exact=True).first.click()
    dialog.get_by_role("button", name="Remove authorization").click()
    assert page.evaluate("sessionStorage.length") == 0
