"""How much a first visit to the explorer transfers."""

from typing import Any

from playwright.sync_api import Page, Request

from tests.conftest import ServedDatabase
from tests.stage import open_explorer

# Compressed, including the responses to the page's first queries and all headers.
MOST_BYTES = 250_000


def test_a_first_visit_is_light(visitor: Page, still: ServedDatabase) -> None:
    """Loading the page with its charts and first rows transfers less than 250 KB."""
    finished: list[Request] = []
    # Playwright sets attributes on its handlers, which a list's method does not allow.
    visitor.on("requestfinished", lambda request: finished.append(request))  # noqa: PLW0108
    open_explorer(visitor, still.gateway.url)
    sizes = {request.url: request.sizes() for request in finished}
    weights = {url: size["responseBodySize"] + size["responseHeadersSize"] for url, size in sizes.items()}
    assert f"{still.gateway.url}/" in weights
    assert sum(weights.values()) < MOST_BYTES, weights


def test_a_second_visit_fetches_no_file_again(page: Page, still: ServedDatabase) -> None:
    """A second visit transfers none of the page's files, as their URLs change with their contents."""
    # Without the fixed clock, which would replace the browser's own measurements.
    open_explorer(page, still.gateway.url)
    open_explorer(page, still.gateway.url)
    files: list[list[Any]] = page.evaluate(
        "performance.getEntriesByType('resource').map((file) => [new URL(file.name).pathname, file.transferSize])"
    )
    sizes = {path: size for path, size in files if path.startswith("/static/")}
    assert sizes
    assert set(sizes.values()) == {0}
