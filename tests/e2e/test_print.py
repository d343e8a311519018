"""The explorer in print: charts are included, interactive parts are not."""

import re
import zlib

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import ServedDatabase
from tests.stage import open_explorer

_FILL = re.compile(rb"([\d.]+) ([\d.]+) ([\d.]+) rg\b")
_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
_READ_COLOURS = "marks => [...new Set(marks.map(mark => getComputedStyle(mark).backgroundColor))]"
# The text colour of light pages.
_LETTERS = "rgb(18, 22, 28)"
# Applied at A4 width between margins, as after drawing for a wider window.
_FIND_CUT = """parts => {
    const page = document.querySelector(".page");
    page.style.inlineSize = "680px";
    return parts.map(part => part.getBoundingClientRect().right - page.getBoundingClientRect().right)
        .filter(excess => excess > 0);
}"""


def find_fills(printed: bytes) -> set[str]:
    """Return the fill colours of areas in a PDF, in CSS notation."""
    fills: set[tuple[int, ...]] = set()
    for stream in _STREAM.findall(printed):
        unpacked = zlib.decompressobj()
        try:
            content = unpacked.decompress(stream)
        except zlib.error:
            continue
        fills |= {tuple(round(255 * float(part)) for part in found) for found in _FILL.findall(content)}
    return {f"rgb({red}, {green}, {blue})" for red, green, blue in fills}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_print_has_the_charts_and_dark_letters(visitor: Page, still: ServedDatabase, scheme: str) -> None:
    """Printed without the browser's backgrounds, bars, columns and legend keep their colours, and text is dark."""
    visitor.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    open_explorer(visitor, still.gateway.url)
    colours = visitor.locator(".bar-fill, .column-fill, .swatch").evaluate_all(_READ_COLOURS)
    assert len(colours) > 5
    assert {*colours, _LETTERS} - find_fills(visitor.pdf(format="A4")) == set()


@pytest.mark.parametrize("width", [1280, 2200])
def test_no_column_is_cut_off_on_paper(visitor: Page, still: ServedDatabase, width: int) -> None:
    """Whatever the window's width, rows and chart fit a portrait page, and interactive parts are omitted."""
    visitor.set_viewport_size({"width": width, "height": 900})
    open_explorer(visitor, still.gateway.url)
    visitor.emulate_media(media="print")
    cut = visitor.locator(".heading .row, #row-0, .plot-canvas canvas").evaluate_all(_FIND_CUT)
    assert cut == []
    for name in ("Copy this query as", "Export all rows as"):
        expect(visitor.get_by_role("group", name=name)).to_be_hidden()
    expect(visitor.get_by_role("form", name="Filters")).to_be_hidden()
