"""The explorer as a person reads it: what stands in its parts, as values to compare. It clicks nothing."""

from dataclasses import dataclass

from playwright.sync_api import Locator, Page


@dataclass(frozen=True)
class Row:
    """A row of the table: when, in ISO 8601, how much, to whom, and with which card."""

    date: str
    amount: str
    vendor: str
    card_type: str
    card_number: str
    country: str


def read_total(page: Page) -> int:
    """How many transactions the page says that there are."""
    return read_number(page.locator(".total strong").inner_text())


def read_rows(page: Page, count: int) -> list[Row]:
    """The first rows of the table that stand in the document."""
    cells = """
    (rows, count) => rows.slice(0, count).map((row) => [
        row.querySelector("time").dateTime,
        ...[...row.querySelectorAll("[role=gridcell]")].slice(1).map((cell) => cell.textContent),
    ])
    """
    return [Row(*found) for found in page.get_by_role("grid").locator("[role=row][id]").evaluate_all(cells, count)]


def find_chart(page: Page, title: str) -> Locator:
    """A chart by its heading."""
    return page.get_by_role("region", name=title, exact=True)


def read_bars(page: Page, title: str) -> dict[str, int]:
    """The number at each bar of a chart, by its name; the bars that are shown only on demand are not among them."""
    read = "bars => bars.map(bar => ['.bar-name', '.bar-count'].map(part => bar.querySelector(part).textContent))"
    return {name: read_number(count) for name, count in find_chart(page, title).locator(".bar").evaluate_all(read)}


def read_table(page: Page, title: str) -> list[list[str]]:
    """The lines of a chart that is shown as a table, its head among them."""
    read = "lines => lines.map(line => [...line.cells].map(cell => cell.textContent))"
    lines: list[list[str]] = find_chart(page, title).get_by_role("row").evaluate_all(read)
    return lines


def read_number(text: str) -> int:
    """A number as English writes it."""
    return int(text.replace(",", ""))
