"""Opens a deployed gateway's GraphiQL in a real browser: `python -m deploy.visit URL`. It has no key."""

import os
import sys

from playwright.sync_api import Error, Page, expect, sync_playwright

from tests.browser import find_browser


def find_troubles(page: Page, url: str) -> list[str]:
    """Give what a person would miss on a first visit, or a browser complain of."""
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("requestfailed", lambda request: troubles.append(f"{request.failure} {request.url}"))
    own = (f"{url}/", "data:")
    page.on("request", lambda request: None if request.url.startswith(own) else troubles.append(request.url))
    try:
        page.goto(f"{url}/graphql")
        expect(page.locator(".graphiql-query-editor .view-line").first).to_be_visible(timeout=30_000)
    except (Error, AssertionError) as error:
        troubles.append(str(error))
    return troubles


def main(url: str) -> None:
    """Print each trouble; exit code 1 for one."""
    url = url.rstrip("/")
    # Chromium's sandbox refuses to start as root.
    arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    # Before Playwright starts here: to look for a browser it is started too.
    path = find_browser()
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=path, args=arguments) as browser:
        troubles = find_troubles(browser.new_page(), url)
    sys.exit("\n".join(troubles) if troubles else 0)


if __name__ == "__main__":
    main(*sys.argv[1:2] or ["http://localhost:5000"])
