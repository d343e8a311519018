"""The explorer's filters, rows and links show what the reference selects, for any query."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page, expect

from tests.conftest import ServedDatabase
from tests.explorer import find_chart, read_rows, read_total
from tests.reference import Document, Question, select
from tests.stage import NOW_MS, await_answers, open_explorer

# Far fewer rows than the initial window holds.
ROWS = 10

questions = st.builds(
    Question,
    days=st.sampled_from([None, 0, 1, 7, 30, 90, 365]),
    card_type=st.sampled_from([None, "Visa", "mastercard", "Maestro"]),
    country=st.sampled_from([None, "US", "de", "GBR", "JP"]),
    min_amount=st.sampled_from([None, "0", "9.99", "100"]),
    max_amount=st.sampled_from([None, "100.00", "999"]),
    order=st.sampled_from(["DATE_DESC", "DATE_ASC", "AMOUNT_DESC", "AMOUNT_ASC"]),
)


def write_link(question: Question) -> str:
    """Return the query string of a shared link."""
    parameters = {
        "days": "all" if question.days is None else str(question.days),
        "card": question.card_type,
        "country": question.country,
        "min": question.min_amount,
        "max": question.max_amount,
        "order": question.order.lower().replace("_", "-"),
    }
    return "?" + urlencode({name: value for name, value in parameters.items() if value is not None})


def answer(documents: Sequence[Document], question: Question) -> list[Document]:
    """Return the reference's rows."""
    alpha_2 = {"GBR": "GB"}.get(question.country or "", question.country)
    return select(documents, replace(question, country=alpha_2), NOW_MS)


def write_dates(documents: Sequence[Document]) -> list[str]:
    moments = [datetime.fromtimestamp(document["date"] / 1000, UTC) for document in documents]
    return [moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") for moment in moments]


def check(page: Page, expected: Sequence[Document]) -> None:
    """Compare what the page shows with the reference's rows."""
    await_answers(page)
    assert read_total(page) == len(expected)
    rows = read_rows(page, ROWS)
    assert len(rows) == min(ROWS, len(expected))
    assert [row.date for row in rows] == write_dates(expected[:ROWS])
    assert [row.vendor for row in rows] == [document["vendor"] for document in expected[:ROWS]]
    assert [row.card_type for row in rows] == [document["cardType"] for document in expected[:ROWS]]
    assert [row.card_number for row in rows] == [f"•••• {each['cardNumber'][-4:]}" for each in expected[:ROWS]]


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=questions)
def test_a_link_shows_the_answer_of_the_reference(
    visitor: Page, still: ServedDatabase, documents: Sequence[Document], question: Question
) -> None:
    """For any link, the total and the first rows are the reference's."""
    open_explorer(visitor, still.gateway.url, write_link(question))
    check(visitor, answer(documents, question))


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=questions)
def test_sums_are_exact_and_of_one_currency_each(
    visitor: Page, still: ServedDatabase, documents: Sequence[Document], question: Question
) -> None:
    """Each currency's sum equals the reference's to the last digit."""
    sums: Counter[str] = Counter()
    exact: dict[str, Decimal] = {}
    for document in answer(documents, question):
        sums[document["currency"]] += 1
        exact[document["currency"]] = exact.get(document["currency"], Decimal(0)) + Decimal(repr(document["amount"]))
    open_explorer(visitor, still.gateway.url, write_link(question))
    panel = visitor.get_by_role("region", name="Sums by currency")
    more = panel.get_by_role("button", name="more currencies")
    if more.count():
        more.click()
    expect(panel.get_by_role("listitem")).to_have_count(len(sums))
    shown = {}
    for text in panel.get_by_role("listitem").all_inner_texts():
        found = re.fullmatch(r"([A-Z]{3}) · ([\d,]+)\s+\D*([\d,.]+)", text)
        assert found, text
        shown[found[1]] = (int(found[2].replace(",", "")), Decimal(found[3].replace(",", "")))
    assert shown == {currency: (sums[currency], exact[currency]) for currency in sums}


def test_each_filter_narrows_and_is_taken_back(
    visitor: Page, still: ServedDatabase, documents: Sequence[Document]
) -> None:
    """Period, card, country and amounts each change answer and URL once entered; Reset clears all."""
    open_explorer(visitor, still.gateway.url)
    check(visitor, answer(documents, Question(days=90)))
    filters = visitor.get_by_role("form", name="Filters")

    filters.get_by_role("button", name="Last 30 days").click()
    check(visitor, answer(documents, Question(days=30)))
    filters.get_by_role("button", name="Visa", exact=True).click()
    check(visitor, answer(documents, Question(days=30, card_type="Visa")))
    country = filters.get_by_role("combobox", name="Country")
    country.fill("germ")
    filters.get_by_role("option", name="Germany DE").click()
    check(visitor, answer(documents, Question(days=30, card_type="Visa", country="DE")))
    filters.get_by_label("From").fill("10")
    filters.get_by_label("From").press("Enter")
    filters.get_by_label("To", exact=True).fill("99.50")
    filters.get_by_label("To", exact=True).blur()
    narrow = Question(days=30, card_type="Visa", country="DE", min_amount="10", max_amount="99.50")
    check(visitor, answer(documents, narrow))
    assert visitor.url == f"{still.gateway.url}/?days=30&card=Visa&country=DE&min=10&max=99.50"

    filters.get_by_label("Last days").fill("45")
    filters.get_by_label("Last days").press("Enter")
    check(visitor, answer(documents, replace(narrow, days=45)))
    visitor.get_by_role("button", name="Remove the filter Germany").click()
    check(visitor, answer(documents, replace(narrow, days=45, country=None)))
    filters.get_by_role("button", name="Visa", exact=True).click()
    check(visitor, answer(documents, replace(narrow, days=45, country=None, card_type=None)))
    filters.get_by_role("button", name="Reset").click()
    check(visitor, answer(documents, Question(days=90)))
    assert visitor.url == f"{still.gateway.url}/"


def test_a_country_by_three_letters_is_shown_as_that_country(
    visitor: Page, still: ServedDatabase, documents: Sequence[Document]
) -> None:
    """Chip, field and bar show the country of the rows; without rows, the code stays as given."""
    open_explorer(visitor, still.gateway.url, "?country=usa&colour=red")
    check(visitor, answer(documents, Question(days=90, country="US")))
    expect(visitor.get_by_role("button", name="Remove the filter United States")).to_be_visible()
    expect(visitor.get_by_role("combobox", name="Country")).to_have_value("United States")
    bar = find_chart(visitor, "By country").get_by_role("button", name="United States")
    expect(bar).to_have_attribute("aria-pressed", "true")
    expect(visitor.get_by_text("colour")).to_be_visible()
    bar.click()
    check(visitor, answer(documents, Question(days=90)))
    visitor.go_back()
    expect(bar).to_have_attribute("aria-pressed", "true")

    open_explorer(visitor, still.gateway.url, "?country=USA&card=Nobody")
    expect(visitor.get_by_role("button", name="Remove the filter USA")).to_be_visible()


def test_back_and_forward_go_from_question_to_question(
    visitor: Page, still: ServedDatabase, documents: Sequence[Document]
) -> None:
    """The history has an entry for each query, which restores its fields and answer."""
    open_explorer(visitor, still.gateway.url)
    visitor.get_by_role("form").get_by_role("button", name="Visa", exact=True).click()
    await_answers(visitor)
    visitor.get_by_role("button", name="Last 7 days").click()
    await_answers(visitor)
    visitor.go_back()
    check(visitor, answer(documents, Question(days=90, card_type="Visa")))
    expect(visitor.get_by_role("button", name="Last 90 days")).to_have_attribute("aria-pressed", "true")
    visitor.go_back()
    check(visitor, answer(documents, Question(days=90)))
    visitor.go_forward()
    visitor.go_forward()
    check(visitor, answer(documents, Question(days=7, card_type="Visa")))
    visitor.reload()
    check(visitor, answer(documents, Question(days=7, card_type="Visa")))


def test_headings_order_the_rows(visitor: Page, still: ServedDatabase, documents: Sequence[Document]) -> None:
    """A click on a heading sorts newest or largest first, a second click reverses, and the heading says so."""
    open_explorer(visitor, still.gateway.url)
    for name, order, said in (
        ("Amount", "AMOUNT_DESC", "descending"),
        ("Amount", "AMOUNT_ASC", "ascending"),
        ("Date", "DATE_DESC", "descending"),
        ("Date", "DATE_ASC", "ascending"),
    ):
        heading = visitor.get_by_role("columnheader", name=name)
        heading.get_by_role("button").click()
        check(visitor, answer(documents, Question(days=90, order=order)))
        expect(heading).to_have_attribute("aria-sort", said)


@pytest.mark.parametrize("row", [1_500, 4_000])
def test_thousands_of_rows_are_scrolled_through_with_few_in_the_document(
    visitor: Page, still: ServedDatabase, documents: Sequence[Document], row: int
) -> None:
    """Distant rows load when scrolled to, in the reference's order, and the document stays small."""
    expected = answer(documents, Question(days=90))
    open_explorer(visitor, still.gateway.url)
    grid = visitor.get_by_role("grid", name="Transactions")
    expect(grid).to_have_attribute("aria-rowcount", str(len(expected) + 1))
    height = grid.locator("[role=row][id]").first.evaluate("row => row.offsetHeight")
    grid.evaluate("(grid, top) => grid.closest('.scroller').scrollTo(0, top)", row * height)
    expect(visitor.locator(f"#row-{row} time")).to_have_attribute("datetime", write_dates([expected[row]])[0])
    expect(visitor.locator(f"#row-{row}")).to_contain_text(expected[row]["vendor"])
    assert grid.locator("[role=row]").count() < 100
    grid.evaluate("grid => grid.closest('.scroller').scrollTo(0, grid.closest('.scroller').scrollHeight)")
    last = len(expected) - 1
    expect(visitor.locator(f"#row-{last} time")).to_have_attribute("datetime", write_dates([expected[last]])[0])


def test_a_row_opens_its_details(visitor: Page, still: ServedDatabase, documents: Sequence[Document]) -> None:
    """A click on a row shows all fields of that transaction, with its card number masked; Close hides them."""
    first = answer(documents, Question(days=90))[0]
    open_explorer(visitor, still.gateway.url)
    visitor.get_by_role("grid").locator("#row-0").click()
    details = visitor.get_by_role("dialog", name=first["vendor"])
    expect(details).to_contain_text(first["_id"])
    expect(details).to_contain_text(f"•••• {first['cardNumber'][-4:]}")
    assert details.locator(".lines").inner_text() == first["address"]
    details.get_by_role("button", name="Close").click()
    expect(details).to_be_hidden()


def test_it_leads_to_the_other_pages(visitor: Page, still: ServedDatabase) -> None:
    """GraphiQL and the REST reference are one click away."""
    open_explorer(visitor, still.gateway.url)
    visitor.get_by_role("link", name="GraphiQL").click()
    expect(visitor).to_have_url(f"{still.gateway.url}/graphql")
    visitor.go_back()
    visitor.get_by_role("link", name="API reference").click()
    expect(visitor).to_have_url(f"{still.gateway.url}/docs")
