"""Takes the README's pictures of the real pages, into docs: `python -m tests.screenshots`.

Clocks and data are fixed, so that a picture changes only with its page.
"""

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect, sync_playwright

from benchmarks.process import open_server
from tests.browser import build_launch_options
from tests.stage import VISITOR, open_explorer, serve_still, stop_clock

_DOCS = Path(__file__).parents[1] / "docs"
# The limit for each picture; together they are what a reader of the README waits for.
_MOST_BYTES = 300_000


@dataclass(frozen=True, slots=True)
class _Picture:
    name: str
    open_page: Callable[[Page, str], None]
    scheme: str = "light"


def _open_graphiql(page: Page, url: str) -> None:
    page.goto(f"{url}/graphql")
    expect(page.get_by_role("button", name="Show Documentation Explorer")).to_be_visible()
    # A tab opened before the editor holds the text of the first one is not shown.
    expect(page.locator(".graphiql-query-editor .view-lines")).to_contain_text("query ")
    page.get_by_role("tab", name="CountByCard").get_by_role("button", name="CountByCard").click()
    expect(page.locator(".graphiql-query-editor .view-lines")).to_contain_text("CountByCard")
    page.get_by_role("button", name="Execute query").click()
    expect(page.get_by_role("region", name="Result Window").locator(".view-lines")).to_contain_text("totalCount")


def _open_reference(page: Page, url: str) -> None:
    page.goto(f"{url}/docs")
    expect(page.locator(".opblock").first).to_be_visible()


_PICTURES = (
    _Picture("explorer-light", open_explorer),
    _Picture("explorer-dark", open_explorer, "dark"),
    _Picture("graphiql", _open_graphiql),
    _Picture("reference", _open_reference),
)


def main() -> None:
    """Write each picture; exit with a message if one is too large for a README."""
    options = build_launch_options()
    expect.set_options(timeout=30_000)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_server(Path(folder)) as server,
        serve_still(server, Path(folder)) as served,
        sync_playwright() as playwright,
        playwright.chromium.launch(**options) as browser,
    ):
        for picture in _PICTURES:
            look: dict[str, Any] = {**VISITOR, "color_scheme": picture.scheme}
            with browser.new_context(**look) as context:
                stop_clock(context)
                page = context.new_page()
                picture.open_page(page, served.gateway.url)
                taken = page.screenshot(path=_DOCS / f"{picture.name}.png", animations="disabled", caret="hide")
            if len(taken) > _MOST_BYTES:
                sys.exit(f"{picture.name}.png has {len(taken):,} bytes; a README's picture shall have {_MOST_BYTES:,}.")


if __name__ == "__main__":
    main()
