"""GraphiQL as a user sees it: in a real browser, on a running gateway."""

import json
import re
import secrets
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest
from playwright.sync_api import Page, expect

from database.embedded import EmbeddedServer
from gateway.caller import Scope
from gateway.keys import create_key
from schema.context import read_clock_ms
from tests.conftest import ServedDatabase, serve_database
from tests.stage import PHONE
from tests.trouble import note_troubles
from tests.waiting import wait_until


class Gateway(Protocol):
    url: str


@pytest.fixture
def graphiql(page: Page, gateway: Gateway) -> Iterator[Page]:
    """GraphiQL on a first visit; fails the test if the page had errors or contacted any other host."""
    troubles = note_troubles(page, gateway.url)
    open_graphiql(page, gateway)
    yield page
    assert troubles.faults + troubles.failures == []


def open_graphiql(page: Page, gateway: Gateway) -> None:
    page.goto(f"{gateway.url}/graphql")
    # The documentation button appears once the schema is loaded; before that, fields cannot be completed.
    expect(page.get_by_role("button", name="Show Documentation Explorer")).to_be_visible()
    expect(page.locator(".graphiql-query-editor .view-line").first).to_be_visible()


def open_new_tab(page: Page) -> None:
    editor = page.locator(".graphiql-query-editor .view-lines")
    # A tab opened before the editor holds the first one's text takes over that text.
    expect(editor).to_contain_text("query ")
    page.get_by_role("button", name="New tab").click()
    expect(page.get_by_role("tab", name="<untitled>")).to_have_attribute("aria-selected", "true")
    expect(editor).not_to_contain_text("query ")
    editor.click()


def open_tab(page: Page, name: str) -> None:
    editor = page.locator(".graphiql-query-editor .view-lines")
    # As with a new tab: one opened before the editor holds the first one's text takes over that text.
    expect(editor).to_contain_text(re.compile(r"(query|subscription)\s"))
    page.get_by_role("tab").get_by_role("button", name=name, exact=True).click()
    expect(editor).to_contain_text(re.compile(rf"(query|subscription)\s{name}"))


def run(page: Page) -> None:
    page.get_by_role("button", name="Execute query").click()


def expect_result(page: Page, text: str | re.Pattern[str]) -> None:
    # The editor renders spaces as non-breaking ones: a pattern needs `\s` where the text has a space.
    expect(page.get_by_role("region", name="Result Window").locator(".view-lines")).to_contain_text(text)


def test_a_phone_shows_the_answer_below_its_operation(graphiql: Page) -> None:
    """On a phone held upright, the response is as wide as its operation, and below it within the window."""
    graphiql.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    run(graphiql)
    expect_result(graphiql, "totalCount")
    editors = graphiql.locator(".graphiql-editors").bounding_box()
    answer = graphiql.locator(".graphiql-response").bounding_box()
    assert editors is not None
    assert answer is not None
    assert answer["width"] == editors["width"]
    assert editors["y"] + editors["height"] <= answer["y"]
    assert answer["height"] > 100
    assert answer["y"] + answer["height"] <= PHONE["height"]


def test_first_visit_offers_each_question(graphiql: Page) -> None:
    """A first visit opens one tab for each example."""
    names = ("Transactions", "CountByCard", "ByCountry", "ByAmount", "ByDay", "SumsByCountry", "Added", "Watched")
    expect(graphiql.get_by_role("tab")).to_have_text([re.compile(f"^{name}") for name in names])


@pytest.mark.parametrize(
    ("tab", "answer"),
    [
        ("Transactions", r'"data":.*"totalCount":\s\d+.*"hasNextPage":\s(true|false)'),
        ("ByCountry", r'"data":.*"totalCount":\s\d+'),
        ("ByAmount", r'"data":.*"totalCount":\s\d+'),
        ("ByDay", r'"data":.*"day":\s"20\d\d-\d\d-\d\dT00:00:00\+00:00",\s*"cardType":\s"\w+",\s*"count":\s\d'),
        ("SumsByCountry", r'"data":.*"country":\s"[A-Z]{2}",\s*"count":\s\d+.*"sum":\s"[\d.]+"'),
        ("Watched", r'"data":.*"summaryChanged":'),
    ],
)
def test_examples_run_as_they_stand(graphiql: Page, tab: str, answer: str) -> None:
    """An example runs without being edited."""
    open_tab(graphiql, tab)
    run(graphiql)
    expect_result(graphiql, re.compile(answer))


def test_count_example_agrees_with_rest(graphiql: Page, gateway: Gateway) -> None:
    """The count by card that GraphiQL shows equals REST's."""
    count = graphiql.request.get(f"{gateway.url}/transactions/90/card/Visa").json()["count"]
    open_tab(graphiql, "CountByCard")
    run(graphiql)
    expect_result(graphiql, f'"totalCount": {count}')


def test_a_subscription_shows_what_is_added(graphiql: Page, seeded: ServedDatabase) -> None:
    """A subscription shows each transaction as it is added, until it is stopped."""
    open_tab(graphiql, "Added")
    run(graphiql)
    for vendor in ("First", "Second"):
        wait_until(partial(is_shown_when_added, graphiql, seeded, vendor), f"a transaction of {vendor}")
    graphiql.get_by_role("button", name="Stop query").click()
    expect(graphiql.get_by_role("button", name="Execute query")).to_be_visible()
    seeded.collection.delete_many({"vendor": {"$in": ["First", "Second"]}})


def is_shown_when_added(page: Page, served: ServedDatabase, vendor: str) -> bool:
    """Add a transaction and report whether it is shown; earlier ones may precede the subscription's start."""
    document = {"date": read_clock_ms(), "currency": "EUR", "amount": 1.0, "vendor": vendor, "cardType": "Visa"}
    served.collection.insert_one(
        {"_id": secrets.token_hex(16), **document, "cardNumber": "4111111111111111", "countryOrigin": "DE"}
    )
    return vendor in page.get_by_role("region", name="Result Window").locator(".view-lines").inner_text()


def test_the_way_to_the_other_pages(graphiql: Page, gateway: Gateway) -> None:
    """Links lead to the explorer and the API reference, and none to another site."""
    links = graphiql.locator("a").evaluate_all("links => links.map(link => [link.textContent, link.href])")
    addresses = dict(links)
    assert addresses["Explorer"] == f"{gateway.url}/"
    assert addresses["API reference"] == f"{gateway.url}/docs"
    assert all(address.startswith(gateway.url) for address in addresses.values())


def test_typed_operation_is_completed_run_and_remembered(graphiql: Page, gateway: Gateway) -> None:
    """A typed operation completes its fields, runs, and reappears in the history and on the next visit."""
    open_new_tab(graphiql)
    graphiql.keyboard.type("query Mine { transactions { totalC")
    expect(graphiql.locator(".suggest-widget")).to_contain_text("totalCount")
    graphiql.keyboard.press("Enter")
    expect(graphiql.get_by_role("tab", name="Mine")).to_be_visible()
    graphiql.keyboard.press("Control+Enter")
    expect_result(graphiql, re.compile(r'"totalCount":\s\d+'))

    graphiql.get_by_role("button", name="Show History").click()
    expect(graphiql.get_by_role("region", name="History").get_by_role("listitem").first).to_contain_text("Mine")

    # GraphiQL saves a tab some time after an edit; leaving earlier would reopen the text in a second tab.
    wait_until(
        lambda: "{ totalCount" in graphiql.evaluate("localStorage['graphiql:tabState']"), "the browser to keep the tab"
    )
    open_graphiql(graphiql, gateway)
    expect(graphiql.get_by_role("tab", name="Mine")).to_be_visible()


def test_mistake_is_marked_before_it_is_sent(graphiql: Page) -> None:
    """A field unknown to the schema is underlined as it is typed."""
    open_new_tab(graphiql)
    graphiql.keyboard.type("query Mine { nothing")
    expect(graphiql.locator(".graphiql-query-editor .squiggly-error").first).to_be_visible()


def test_documentation_shows_the_schema(graphiql: Page) -> None:
    """The documentation leads from the query type to the transactions field."""
    graphiql.get_by_role("button", name="Show Documentation Explorer").click()
    graphiql.get_by_role("link", name="Query").first.click()
    expect(graphiql.get_by_role("link", name="transactions", exact=True)).to_be_visible()


def type_operation(page: Page, text: str) -> None:
    open_new_tab(page)
    # Inserted at once: typed letter by letter, the editor would add closing brackets.
    page.keyboard.insert_text(text)
    # GraphiQL must have registered the operation, or it would be missing from the history.
    expect(page.get_by_role("tab", name="Mine")).to_be_visible()


def read_stored(page: Page, *names: str) -> str:
    """Return the browser's storage once GraphiQL has saved the operation `Mine` under each of these names."""

    def read() -> dict[str, str]:
        return dict(page.evaluate("() => ({...localStorage})"))

    wait_until(lambda: all("query Mine" in read().get(name, "") for name in names), "the browser to keep it")
    return json.dumps(read(), ensure_ascii=False)


@pytest.mark.parametrize("number", ["4111111111111111", "4111-1111-1111-1111", "4111 1111 1111 1111"])
def test_a_card_number_is_not_kept(graphiql: Page, number: str) -> None:
    """An operation is saved in tabs and history without the card number that it was run with."""
    type_operation(graphiql, f'query Mine {{ transactions(filter: {{cardType: "{number}"}}) {{ totalCount }} }}')
    graphiql.keyboard.press("Control+Enter")
    expect_result(graphiql, re.compile(r'"totalCount":\s0'))
    stored = read_stored(graphiql, "graphiql:queries", "graphiql:tabState")
    assert "************" in stored
    assert not re.search(r"4111\W?1111", stored)


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def guarded(mongod: EmbeddedServer, keys_file: Path) -> Iterator[ServedDatabase]:
    """A gateway that requires authentication."""
    with serve_database(mongod, keys_file.parent, GATEWAY_KEYS_FILE=str(keys_file)) as served:
        yield served


def test_a_key_that_is_entered_is_used_until_it_is_forgotten(
    page: Page, guarded: ServedDatabase, keys_file: Path
) -> None:
    """With a key entered, operations and subscriptions run; the key is kept in this tab's session storage only."""
    _, key = create_key(keys_file, "graphiql", frozenset({Scope.TRANSACTIONS_READ}))
    page.goto(f"{guarded.gateway.url}/graphql")
    open_tab(page, "ByCountry")
    run(page)
    expect_result(page, "UNAUTHENTICATED")
    page.get_by_label("API key or token").fill(key)
    page.get_by_role("button", name="Use", exact=True).click()
    forget = page.get_by_role("button", name="Forget")
    expect(forget).to_be_visible()
    assert page.evaluate("sessionStorage.getItem('txgw:key')") == key
    open_tab(page, "ByCountry")
    run(page)
    expect_result(page, re.compile(r'"totalCount":\s0'))
    open_tab(page, "Added")
    run(page)
    wait_until(lambda: is_shown_when_added(page, guarded, "First"), "a transaction")
    stored = str(page.evaluate("() => JSON.stringify({...localStorage}) + location.href + document.cookie"))
    assert "txgw_" not in stored
    forget.click()
    expect(forget).to_be_hidden()
    open_tab(page, "ByCountry")
    run(page)
    expect_result(page, "UNAUTHENTICATED")
    assert page.evaluate("sessionStorage.length") == 0


def test_a_key_in_the_headers_opens_the_gateway_and_is_not_kept(
    page: Page, guarded: ServedDatabase, keys_file: Path
) -> None:
    """With a key in the headers an operation runs, and the browser saves neither the key nor the headers."""
    _, key = create_key(keys_file, "graphiql", frozenset({Scope.TRANSACTIONS_READ}))
    page.goto(f"{guarded.gateway.url}/graphql")
    type_operation(page, "query Mine { transactions { totalCount } }")
    run(page)
    expect_result(page, "UNAUTHENTICATED")
    page.get_by_role("button", name="Headers").click()
    page.locator(".graphiql-editor-tool .graphiql-editor:not(.hidden) .view-lines").click()
    page.keyboard.insert_text(f'{{"Authorization": "Bearer {key}"}}')
    run(page)
    expect_result(page, re.compile(r'"totalCount":\s0'))
    stored = read_stored(page, "graphiql:queries", "graphiql:tabState")
    assert "txgw_" not in stored
    assert "Bearer" not in stored
