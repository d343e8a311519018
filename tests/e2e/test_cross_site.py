"""Pages of other sites in a real Chromium may send requests, but get no query executed and read no response."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.process import GatewayProcess

FETCH = "url => fetch(url).then(answer => answer.text(), error => error.name)"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Suppress the access log, as the tests' output is pytest's."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """Serve a page of another origin, and yield its URL."""
    (tmp_path / "index.html").write_text("<!doctype html><title>Other</title><p>Other</p>")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_page_of_another_site_reads_nothing(page: Page, site: str, gateway: GatewayProcess) -> None:
    """Its scripts can read no response, with CORS or without."""
    page.goto(site)
    assert page.evaluate(FETCH, f"{gateway.url}/transactions/1/card/Visa") == "TypeError"
    unread = FETCH.replace("fetch(url)", "fetch(url, {mode: 'no-cors'})")
    assert page.evaluate(unread, f"{gateway.url}/transactions/1/card/Visa") == "TypeError"


def test_a_form_of_another_site_asks_nothing(page: Page, site: str, gateway: GatewayProcess) -> None:
    """A form that another site's page posts to GraphQL, as JSON in text, gets 403."""
    page.goto(site)
    with page.expect_response("**/graphql") as asked:
        page.evaluate(
            """url => {
                const form = document.createElement("form");
                Object.assign(form, {method: "post", action: url, enctype: "text/plain"});
                document.body.append(form);
                form.submit();
            }""",
            f"{gateway.url}/graphql",
        )
    assert asked.value.status == 403


def test_a_link_of_another_site_may_be_followed(page: Page, site: str, gateway: GatewayProcess) -> None:
    """Following a link from another site to a path shows its response."""
    page.goto(site)
    page.evaluate(
        "url => document.body.append(Object.assign(document.createElement('a'), {href: url, textContent: 'go'}))",
        f"{gateway.url}/transactions/1/card/Visa",
    )
    page.click("a")
    page.wait_for_url("**/card/Visa")
    assert "count" in page.locator("pre").inner_text()
