"""The explorer's charts show what the reference counts, and clicks in them become conditions."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import ServedDatabase
from tests.explorer import find_chart, read_bars, read_number, read_table, read_total
from tests.reference import DAY_MS, Document, Question, select
from tests.stage import NOW_MS, ZONE, await_answers, open_explorer

NAMES = {"US": "United States", "DE": "Germany", "GB": "United Kingdom", "FR": "France", "JP": "Japan"}
BOUNDS = [0.0, *(step * 10.0**power for power in range(6) for step in (1, 2, 5)), 1_000_000.0]


def count(documents: Iterable[Document], read: Callable[[Document], str]) -> Counter[str]:
    return Counter(read(document) for document in documents)


def read_date(document: Document) -> datetime:
    return datetime.fromtimestamp(document["date"] / 1000, UTC).astimezone(ZoneInfo(ZONE))


def name_day(document: Document) -> str:
    """Return the English name of a document's day in the visitor's time zone."""
    return f"{read_date(document):%a, %b} {read_date(document).day}, {read_date(document).year}"


def name_range(document: Document) -> str:
    """Return the English name of a document's amount range."""
    lower = max(bound for bound in BOUNDS if bound <= document["amount"])
    upper = next((bound for bound in BOUNDS if bound > lower), None)
    return f"{lower:,.0f} or more" if upper is None else f"{lower:,.0f} to {upper - 0.01:,.2f}"


def read_lines(page: Page, title: str) -> dict[str, int]:
    """Return the numbers of a chart's table, without zero lines."""
    toggle = find_chart(page, title).get_by_role("button", name="Table")
    if toggle.get_attribute("aria-pressed") == "false":
        toggle.click()
    numbers = {line[0]: read_number(line[1]) for line in read_table(page, title)[1:]}
    return {name: number for name, number in numbers.items() if number}


@pytest.mark.parametrize(
    ("link", "question"),
    [
        ("", Question(days=90)),
        ("?days=30&card=visa&country=de", Question(days=30, card_type="Visa", country="DE")),
        ("?days=120&min=100&max=500", Question(days=120, min_amount="100", max_amount="500")),
    ],
)
def test_charts_show_what_the_reference_counts(
    visitor: Page, still: ServedDatabase, documents: Sequence[Document], link: str, question: Question
) -> None:
    """Each chart has the reference's numbers; a chart that sets a condition ignores that condition itself."""
    open_explorer(visitor, still.gateway.url, link)

    def answer(**without: Any) -> list[Document]:
        return select(documents, replace(question, **without), NOW_MS)

    cards = count(answer(card_type=None), lambda document: document["cardType"])
    assert read_bars(visitor, "By card") == cards
    assert read_lines(visitor, "By day") == count(answer(), name_day)
    assert read_lines(visitor, "By amount") == count(answer(min_amount=None, max_amount=None), name_range)

    find_chart(visitor, "By country").get_by_role("button", name=re.compile("more$")).click()
    countries = count(answer(country=None), lambda document: document["countryOrigin"])
    bars = read_bars(visitor, "By country")
    assert sorted(bars.values()) == sorted(countries.values())
    assert {name: bars.get(name, 0) for name in NAMES.values()} == {NAMES[code]: countries[code] for code in NAMES}

    vendors = count(answer(), lambda document: document["vendor"])
    shown = read_bars(visitor, "Top vendors")
    assert list(shown.values()) == [number for _, number in vendors.most_common(10)]
    assert all(vendors[vendor] == number for vendor, number in shown.items())


@pytest.mark.parametrize(
    ("title", "name", "link", "question"),
    [
        ("By card", "Mastercard", "?days=90&card=Mastercard", Question(days=90, card_type="Mastercard")),
        ("By country", "Germany", "?days=90&country=DE", Question(days=90, country="DE")),
        (
            "By amount",
            "10 to 19.99",
            "?days=90&min=10&max=19.9999",
            Question(90, min_amount="10", max_amount="19.9999"),
        ),
    ],
)
def test_a_click_on_a_bar_asks_for_it_and_a_second_takes_it_back(
    visitor: Page,
    still: ServedDatabase,
    documents: Sequence[Document],
    title: str,
    name: str,
    link: str,
    question: Question,
) -> None:
    """A clicked bar becomes a condition of all other parts and of the URL; a second click removes it."""
    open_explorer(visitor, still.gateway.url)
    bar = find_chart(visitor, title).get_by_role("button", name=re.compile(name))
    bar.click()
    await_answers(visitor)
    expect(bar).to_have_attribute("aria-pressed", "true")
    assert visitor.url == f"{still.gateway.url}/{link}"
    assert read_total(visitor) == len(select(documents, question, NOW_MS))
    bar.click()
    await_answers(visitor)
    expect(bar).to_have_attribute("aria-pressed", "false")
    assert visitor.url == f"{still.gateway.url}/"
    assert read_total(visitor) == len(select(documents, Question(days=90), NOW_MS))


def test_several_ranges_of_amounts_are_picked_together(
    visitor: Page, still: ServedDatabase, documents: Sequence[Document]
) -> None:
    """Shift-click selects all ranges from the selected one to the clicked one."""
    open_explorer(visitor, still.gateway.url)
    chart = find_chart(visitor, "By amount")
    chart.get_by_role("button", name=re.compile("10 to 19.99")).click()
    await_answers(visitor)
    chart.get_by_role("button", name=re.compile("50 to 99.99")).click(modifiers=["Shift"])
    await_answers(visitor)
    wanted = Question(days=90, min_amount="10", max_amount="99.9999")
    assert read_total(visitor) == len(select(documents, wanted, NOW_MS))


def test_a_click_on_a_day_asks_for_all_since(
    visitor: Page, still: ServedDatabase, documents: Sequence[Document]
) -> None:
    """After picking a day, the window begins with that day or shortly before, as it has whole days."""
    open_explorer(visitor, still.gateway.url)
    chart = find_chart(visitor, "By day")
    expect(chart.locator("canvas")).to_be_visible()
    # The slider offers by keys what the pointer does by clicks, and announces its position.
    chart.get_by_role("slider").focus()
    for _ in range(9):
        visitor.keyboard.press("ArrowLeft")
    text = chart.get_by_role("slider").get_attribute("aria-valuetext") or ""
    day = text.split(":")[0]
    on_that_day = count(select(documents, Question(days=90), NOW_MS), name_day)[day]
    assert f"{on_that_day} transactions" in text
    visitor.keyboard.press("Enter")
    await_answers(visitor)
    start = datetime.strptime(day, "%a, %b %d, %Y").replace(tzinfo=ZoneInfo(ZONE))
    days = ceil((NOW_MS - start.timestamp() * 1000) / DAY_MS)
    assert visitor.url == f"{still.gateway.url}/?days={days}"
    assert read_total(visitor) == len(select(documents, Question(days=days), NOW_MS))


def test_the_pointer_picks_a_day_in_the_picture(visitor: Page, still: ServedDatabase) -> None:
    """A click on a column of the chart does what its tooltip says, and selects fewer days."""
    open_explorer(visitor, still.gateway.url)
    picture = find_chart(visitor, "By day").locator(".u-over")
    box = picture.bounding_box()
    assert box is not None
    picture.hover(position={"x": box["width"] * 0.9, "y": box["height"] * 0.6})
    expect(visitor.get_by_text("Click for all since")).to_be_visible()
    picture.click(position={"x": box["width"] * 0.9, "y": box["height"] * 0.6})
    expect(visitor).to_have_url(re.compile(r"\?days=\d+$"))
    await_answers(visitor)
    assert 5 <= int(visitor.url.rpartition("=")[2]) <= 15


def test_three_clicks_answer_how_many_from_where_and_when(
    visitor: Page, still: ServedDatabase, documents: Sequence[Document]
) -> None:
    """The number, countries and days of Visa transactions in 90 days are at most three clicks from `/`."""
    visas = select(documents, Question(days=90, card_type="Visa"), NOW_MS)
    open_explorer(visitor, still.gateway.url)
    clicks = [
        visitor.get_by_role("form", name="Filters").get_by_role("button", name="Visa", exact=True),
        find_chart(visitor, "By country").get_by_role("button", name=re.compile("more$")),
        find_chart(visitor, "By day").get_by_role("button", name="Table"),
    ]
    for button in clicks:
        button.click()
        await_answers(visitor)
    assert read_total(visitor) == len(visas)
    countries = count(visas, lambda document: document["countryOrigin"])
    assert sorted(read_bars(visitor, "By country").values()) == sorted(countries.values())
    assert read_lines(visitor, "By day") == count(visas, name_day)
