"""Both API styles in a real Chromium: REST paths opened in the browser, GraphQL fetched by a page."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import APIRequestContext, Page, Playwright

from schema.context import read_clock_ms
from tests.conftest import ServedDatabase
from tests.process import GatewayProcess
from tests.reference import Document, Question, select

QUESTIONS = [
    ("/transactions/90", Question(days=90)),
    ("/transactions/90/card/Visa", Question(days=90, card_type="Visa")),
    ("/transactions/90/country/US", Question(days=90, country="US")),
    ("/transactions/90/amount/100.00/999.00", Question(days=90, min_amount="100.00", max_amount="999.00")),
]


def answer(seeded: ServedDatabase, question: Question) -> list[Document]:
    """Return the reference's rows; seeded dates are much further from a window's ends than a test takes."""
    return select(seeded.collection.find(), question, read_clock_ms())


def check(found: Any, expected: list[Document], path: str) -> None:
    if "/card/" in path:
        assert found == {"count": len(expected)}
    else:
        assert found == expected
    assert expected


@pytest.fixture
def api(playwright: Playwright, gateway: GatewayProcess) -> Iterator[APIRequestContext]:
    context = playwright.request.new_context(base_url=gateway.url)
    yield context
    context.dispose()


@pytest.mark.parametrize(("path", "question"), QUESTIONS)
def test_a_path_opened_in_the_browser_shows_its_answer(
    page: Page, seeded: ServedDatabase, path: str, question: Question
) -> None:
    """Opening one of the four paths shows the reference's response."""
    response = page.goto(seeded.gateway.url + path)
    assert response is not None
    assert response.ok
    check(json.loads(page.locator("pre").inner_text()), answer(seeded, question), path)


@pytest.mark.parametrize(("path", "question"), QUESTIONS)
def test_a_path_asked_by_the_request_context_gives_its_answer(
    api: APIRequestContext, seeded: ServedDatabase, path: str, question: Question
) -> None:
    """Playwright's request context gets the reference's response."""
    check(api.get(path).json(), answer(seeded, question), path)


@pytest.mark.parametrize("question", [question for _, question in QUESTIONS])
def test_graphql_is_fetched_by_a_page_and_by_the_request_context(
    page: Page, api: APIRequestContext, seeded: ServedDatabase, question: Question
) -> None:
    """A page's own fetch of the GraphQL query returns the reference's rows and their count."""
    query = (
        "query ($wanted: TransactionFilter) { transactions(filter: $wanted, first: 10000) { totalCount nodes { id } } }"
    )
    body = {"query": query, "variables": {"wanted": question.write_filter()}}
    page.goto(f"{seeded.gateway.url}/health/live")
    fetched = page.evaluate(
        """async body => (await fetch("/graphql", {
            method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)
        })).json()""",
        body,
    )
    assert fetched == api.post("/graphql", data=body).json()
    expected = answer(seeded, question)
    found = fetched["data"]["transactions"]
    assert found == {"totalCount": len(expected), "nodes": [{"id": document["_id"]} for document in expected]}


def test_a_mistake_is_shown_in_words(page: Page, gateway: GatewayProcess) -> None:
    """A mistyped path gets an error that says what is wrong and what is accepted."""
    response = page.goto(f"{gateway.url}/transactions/ninety")
    assert response is not None
    assert response.status == 400
    assert "give a whole number from 0 to 36500, such as 90" in page.content()
