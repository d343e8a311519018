"""Reads what the explorer shows as values to compare. It must not click anything."""

from dataclasses import dataclass

from playwright.sync_api import Locator, Page


@dataclass(frozen=True)
class Row:
    """A row of the table: the date in ISO 8601, amount, vendor, card and country."""

    date: str
    amount: str
    vendor: str
    card_type: str
    card_number: str
    country: str


def read_total(page: Page) -> int:
    """Return the total number of transactions that the page shows."""
    return read_number(page.locator(".total strong").inner_text())


def read_rows(page: Page, count: int) -> list[Row]:
    """Return the first `count` table rows present in the DOM."""
    cells = """
    (rows, count) => rows.slice(0, count).map((row) => [
        row.querySelector("time").dateTime,
        ...[...row.querySelectorAll("[role=gridcell]")].slice(1).map((cell) => cell.textContent),
    ])
    """
    return [Row(*found) for found in page.get_by_role("grid").locator("[role=row][id]").evaluate_all(cells, count)]


def find_chart(page: Page, title: str) -> Locator:
    """Return the chart with this heading."""
    return page.get_by_role("region", name=title, exact=True)


def read_bars(page: Page, title: str) -> dict[str, int]:
    """Return the count at each bar of a chart by the bar's name; bars shown only on demand are not included."""
    read = "bars => bars.map(bar => ['.bar-name', '.bar-count'].map(part => bar.querySelector(part).textContent))"
    return {name: read_number(count) for name, count in find_chart(page, title).locator(".bar").evaluate_all(read)}


def read_table(page: Page, title: str) -> list[list[str]]:
    """Return the lines of a chart shown as a table, including its header."""
    read = "lines => lines.map(line => [...line.cells].map(cell => cell.textContent))"
    lines: list[list[str]] = find_chart(page, title).get_by_role("row").evaluate_all(read)
    return lines


def read_number(text: str) -> int:
    """Parse a number with English thousands separators."""
    return int(text.replace(",", ""))
