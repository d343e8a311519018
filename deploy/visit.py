"""Open a deployed gateway's pages in a real browser, without a key: `python -m deploy.visit URL`."""

import os
import sys

from playwright.sync_api import Error, Page, Request, expect, sync_playwright

from tests.browser import find_browser

# Each page, with a selector of an element that exists once its scripts have run.
_PAGES = {"/": "#explorer > *", "/docs": ".opblock", "/graphql": ".graphiql-query-editor .view-line"}


def find_troubles(page: Page, url: str) -> list[str]:
    """Return the errors of a first visit: missing content, script errors, failed requests and third-party requests."""
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("requestfailed", lambda request: _note_failure(request, troubles))
    own = (f"{url}/", "data:")
    page.on("request", lambda request: None if request.url.startswith(own) else troubles.append(request.url))
    try:
        for path, sign in _PAGES.items():
            page.goto(url + path)
            expect(page.locator(sign).first).to_be_visible(timeout=30_000)
    except (Error, AssertionError) as error:
        troubles.append(str(error))
    return troubles


def _note_failure(request: Request, troubles: list[str]) -> None:
    # Leaving a page aborts its pending requests.
    if request.failure != "net::ERR_ABORTED":
        troubles.append(f"{request.failure} {request.url}")


def main(url: str) -> None:
    """Print the errors and exit with 1 if there are any."""
    url = url.rstrip("/")
    # Chromium's sandbox refuses to start as root.
    arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    # Before Playwright starts here, because the search for a browser starts it as well.
    path = find_browser()
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=path, args=arguments) as browser:
        troubles = find_troubles(browser.new_page(), url)
    sys.exit("\n".join(troubles) if troubles else 0)


if __name__ == "__main__":
    main(*sys.argv[1:2] or ["http://localhost:5000"])
