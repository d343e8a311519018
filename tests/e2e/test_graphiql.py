"""GraphiQL as a person uses it: in a real browser, on a running gateway."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from playwright.sync_api import Page, expect

from database.embedded import EmbeddedServer
from gateway.caller import Scope
from gateway.keys import create_key
from tests.conftest import serve_database
from tests.process import GatewayProcess
from tests.trouble import note_troubles
from tests.waiting import wait_until


class Gateway(Protocol):
    url: str


@pytest.fixture
def graphiql(page: Page, gateway: Gateway) -> Iterator[Page]:
    """GraphiQL on a first visit; fails the test if the page troubled its browser or asked any other host."""
    troubles = note_troubles(page, gateway.url)
    open_graphiql(page, gateway)
    yield page
    assert troubles.faults + troubles.failures == []


def open_graphiql(page: Page, gateway: Gateway) -> None:
    page.goto(f"{gateway.url}/graphql")
    # The documentation appears once the page has read the schema; before that it cannot complete a field.
    expect(page.get_by_role("button", name="Show Documentation Explorer")).to_be_visible()
    expect(page.locator(".graphiql-query-editor .view-line").first).to_be_visible()


def open_new_tab(page: Page) -> None:
    editor = page.locator(".graphiql-query-editor .view-lines")
    # A tab that opens before the editor holds the first one's text takes that text over.
    expect(editor).to_contain_text("query ")
    page.get_by_role("button", name="New tab").click()
    expect(page.get_by_role("tab", name="<untitled>")).to_have_attribute("aria-selected", "true")
    expect(editor).not_to_contain_text("query ")
    editor.click()


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).get_by_role("button", name=name).click()
    expect(page.locator(".graphiql-query-editor .view-lines")).to_contain_text(f"query {name}")


def run(page: Page) -> None:
    page.get_by_role("button", name="Execute query").click()


def expect_result(page: Page, text: str | re.Pattern[str]) -> None:
    # The editor writes its spaces as non-breaking ones: a pattern needs `\s` where a text may have a space.
    expect(page.get_by_role("region", name="Result Window").locator(".view-lines")).to_contain_text(text)


def test_first_visit_offers_the_four_questions(graphiql: Page) -> None:
    """A first visit opens one tab for each of the four questions."""
    for name in ("Transactions", "CountByCard", "ByCountry", "ByAmount"):
        expect(graphiql.get_by_role("tab", name=name)).to_be_visible()


@pytest.mark.parametrize(
    ("tab", "answer"),
    [
        ("Transactions", r'"data":.*"totalCount":\s\d+.*"hasNextPage":\s(true|false)'),
        ("ByCountry", r'"data":.*"totalCount":\s\d+'),
        ("ByAmount", r'"data":.*"totalCount":\s\d+'),
    ],
)
def test_examples_run_as_they_stand(graphiql: Page, tab: str, answer: str) -> None:
    """An example answers without being edited."""
    open_tab(graphiql, tab)
    run(graphiql)
    expect_result(graphiql, re.compile(answer))


def test_count_example_agrees_with_rest(graphiql: Page, gateway: Gateway) -> None:
    """The count by card that GraphiQL shows is the one that REST gives."""
    count = graphiql.request.get(f"{gateway.url}/transactions/90/card/Visa").json()["count"]
    open_tab(graphiql, "CountByCard")
    run(graphiql)
    expect_result(graphiql, f'"totalCount": {count}')


def test_typed_operation_is_completed_run_and_remembered(graphiql: Page, gateway: Gateway) -> None:
    """A typed operation completes its fields, runs, and is there again in the history and on the next visit."""
    open_new_tab(graphiql)
    graphiql.keyboard.type("query Mine { transactions { totalC")
    expect(graphiql.locator(".suggest-widget")).to_contain_text("totalCount")
    graphiql.keyboard.press("Enter")
    expect(graphiql.get_by_role("tab", name="Mine")).to_be_visible()
    graphiql.keyboard.press("Control+Enter")
    expect_result(graphiql, re.compile(r'"totalCount":\s\d+'))

    graphiql.get_by_role("button", name="Show History").click()
    expect(graphiql.get_by_role("region", name="History").get_by_role("listitem").first).to_contain_text("Mine")

    open_graphiql(graphiql, gateway)
    expect(graphiql.get_by_role("tab", name="Mine")).to_be_visible()


def test_mistake_is_marked_before_it_is_sent(graphiql: Page) -> None:
    """A field that the schema does not have is underlined while it is typed."""
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
    # In one piece: typed letter by letter, the editor would add the brackets' ends.
    page.keyboard.insert_text(text)
    # Run before GraphiQL has noted it, it would be missing in the history.
    expect(page.get_by_role("tab", name="Mine")).to_be_visible()


def read_stored(page: Page, *names: str) -> str:
    """Give what the browser keeps, once what GraphiQL keeps under each of these names tells of the operation `Mine`."""

    def read() -> dict[str, str]:
        return dict(page.evaluate("() => ({...localStorage})"))

    wait_until(lambda: all("query Mine" in read().get(name, "") for name in names), "the browser to keep it")
    return json.dumps(read(), ensure_ascii=False)


@pytest.mark.parametrize("number", ["4111111111111111", "4111-1111-1111-1111", "4111 1111 1111 1111"])
def test_a_card_number_is_not_kept(graphiql: Page, number: str) -> None:
    """An operation is kept in tabs and history without the card number that it was run with."""
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
def guarded(mongod: EmbeddedServer, keys_file: Path) -> Iterator[GatewayProcess]:
    """A gateway that wants to know who asks."""
    with serve_database(mongod, keys_file.parent, GATEWAY_KEYS_FILE=str(keys_file)) as served:
        yield served.gateway


def test_a_key_opens_the_gateway_and_is_not_kept(page: Page, guarded: GatewayProcess, keys_file: Path) -> None:
    """With a key in the headers an operation runs, and the browser keeps neither the key nor the headers."""
    _, key = create_key(keys_file, "graphiql", frozenset({Scope.TRANSACTIONS_READ}))
    page.goto(f"{guarded.url}/graphql")
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
