"""The explorer in special states: live rows, keys, database outages, bad links, no results."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from benchmarks.failover import build_documents, fill
from database.embedded import EmbeddedServer
from gateway.caller import Scope
from gateway.keys import create_key
from schema.context import read_clock_ms
from tests.conftest import ServedDatabase, serve_database
from tests.explorer import read_rows, read_total
from tests.process import run_gateway
from tests.reference import DAY_MS, Document, Question, select
from tests.replica import run_replica_set
from tests.stage import NOW_MS, await_answers, build_document, open_explorer
from tests.trouble import Troubles, note_troubles
from tests.waiting import find_free_port, wait_until

STORED = 300
# Counts the DOM changes after which the banner was missing.
COUNT_ABSENCES = """() => {
    window.absences = 0;
    const count = () => { window.absences += document.querySelector(".banner") === null ? 1 : 0; };
    new MutationObserver(count).observe(document.body, { childList: true, subtree: true });
}"""
SECRETS = "() => JSON.stringify([{...localStorage}, location.href, document.cookie])"


def test_an_empty_database_is_told_and_filled_live(page: Page, own: ServedDatabase) -> None:
    """An empty database is reported; with Live on, added transactions appear and are counted."""
    troubles = note_troubles(page, own.gateway.url)
    open_explorer(page, own.gateway.url, "?days=all")
    expect(page.get_by_text("There are no transactions yet.")).to_be_visible()
    live = page.get_by_role("switch", name="Live")
    live.click()
    expect(live).to_be_checked()
    expect(page.locator("[data-phase=live]")).to_be_visible()
    own.collection.insert_one(build_document(1))
    expect(page.get_by_role("grid").get_by_text("Vendor 1", exact=True)).to_be_visible()
    expect(page.locator(".total strong")).to_have_text("1")

    own.collection.insert_many([build_document(2), build_document(3, cardType="Amex")])
    expect(page.get_by_role("grid").get_by_text("Vendor 3", exact=True)).to_be_visible()
    expect(page.locator(".total strong")).to_have_text("3")
    page.get_by_role("form", name="Filters").get_by_role("button", name="Amex", exact=True).click()
    await_answers(page)
    expect(page.locator("[data-phase=live]")).to_be_visible()
    own.collection.insert_many([build_document(4), build_document(5, cardType="amex")])
    expect(page.locator(".total strong")).to_have_text("2")
    assert [row.vendor for row in read_rows(page, 9)] == ["Vendor 5", "Vendor 3"]
    live.click()
    expect(live).not_to_be_checked()
    assert troubles.faults + troubles.failures == []


def test_what_a_database_holds_is_text(page: Page, own: ServedDatabase) -> None:
    """Markup in a vendor's name or an address is shown as text, and nothing of it runs."""
    script = "<img src=x onerror=\"document.title='run'\">"
    own.collection.insert_one(build_document(1, vendor=script, cardType=script, address=script))
    troubles = note_troubles(page, own.gateway.url)
    open_explorer(page, own.gateway.url, "?days=all&card=%3Cimg%20src=x%20onerror=%22document.title='run'%22%3E")
    assert read_total(page) == 1
    page.get_by_role("grid").locator("#row-0").click()
    expect(page.get_by_role("dialog")).to_contain_text(script)
    assert page.title() != "run"
    assert troubles.faults + troubles.failures == []


@pytest.mark.parametrize("width", [360, 900, 1280, 1920])
def test_amounts_in_millions_are_shown_whole(page: Page, own: ServedDatabase, width: int) -> None:
    """An amount of seven digits and two decimals is not cut off in the table, even with a currency code."""
    own.collection.insert_one(build_document(1, currency="CHF", amount=1_234_567.89))
    page.set_viewport_size({"width": width, "height": 900})
    open_explorer(page, own.gateway.url)
    amount = page.locator("#row-0 .cell-amount")
    expect(amount).to_have_text("CHF 1,234,567.89")
    assert amount.evaluate("cell => cell.scrollWidth <= cell.clientWidth")


def test_nothing_found_leads_to_more(visitor: Page, still: ServedDatabase, documents: Sequence[Document]) -> None:
    """A query without results offers to drop a condition, and a click does so."""
    open_explorer(visitor, still.gateway.url, "?days=30&card=Nobody&country=DE")
    assert read_total(visitor) == 0
    visitor.get_by_role("button", name="Without Nobody").click()
    await_answers(visitor)
    assert read_total(visitor) == len(select(documents, Question(days=30, country="DE"), NOW_MS))


def test_what_a_link_asks_wrongly_is_told_and_the_rest_is_applied(
    visitor: Page, still: ServedDatabase, documents: Sequence[Document]
) -> None:
    """Each bad value in a URL is reported with what is accepted; the good values are applied."""
    open_explorer(visitor, still.gateway.url, "?days=ninety&card=Visa&country=Atlantis&min=x&colour=red")
    expect(visitor.get_by_role("alert").filter(has_text="is not applied")).to_contain_text("colour")
    for name in ("days", "country", "min"):
        expect(visitor.locator(f"#{name}-fault")).to_be_visible()
    assert read_total(visitor) == len(select(documents, Question(days=90, card_type="Visa"), NOW_MS))
    field = visitor.get_by_label("Last days")
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("7")
    field.press("Enter")
    await_answers(visitor)
    assert read_total(visitor) == len(select(documents, Question(days=7, card_type="Visa"), NOW_MS))
    expect(field).to_have_attribute("aria-invalid", "false")


def test_what_the_gateway_refuses_is_told_at_its_field_alone(page: Page, still: ServedDatabase) -> None:
    """A value that only the gateway can reject is reported at its field only, without an offer to retry."""
    open_explorer(page, still.gateway.url, "?country=ZZZ")
    expect(page.locator("#country-fault")).to_contain_text("is not a country code")
    expect(page.get_by_text("is not a country code")).to_have_count(1)
    expect(page.get_by_role("region", name="Rows")).to_contain_text("The filter is not valid.")
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)


def test_a_field_says_what_is_wrong_before_anything_is_asked(visitor: Page, still: ServedDatabase) -> None:
    """An invalid amount is not sent: its field says what is accepted, and the answer stays."""
    open_explorer(visitor, still.gateway.url)
    total = read_total(visitor)
    visitor.get_by_label("From").fill("1,5")
    visitor.get_by_label("From").press("Enter")
    expect(visitor.locator("#min-fault")).to_contain_text("is not a decimal number")
    assert read_total(visitor) == total
    assert visitor.url == f"{still.gateway.url}/"


def test_a_key_is_asked_for_taken_and_forgotten(mongod: EmbeddedServer, tmp_path: Path, page: Page) -> None:
    """Without a key the page asks for one, reports a wrong one, works with the right one, and forgets it on request."""
    keys = tmp_path / "keys.json"
    _, key = create_key(keys, "explorer", frozenset({Scope.TRANSACTIONS_READ}))
    with serve_database(mongod, tmp_path, GATEWAY_KEYS_FILE=str(keys)) as served:
        served.collection.insert_many(build_document(number) for number in range(3))
        troubles = note_troubles(page, served.gateway.url)
        page.goto(f"{served.gateway.url}/?days=all")
        dialog = page.get_by_role("dialog", name="API key")
        enter_key(page, "txgw_wrong")
        expect(dialog.locator(".fault")).to_be_visible()
        enter_key(page, key)
        expect(dialog).to_be_hidden()
        expect(page.locator(".total strong")).to_have_text("3")
        await_answers(page)
        assert key not in page.evaluate(SECRETS)

        with page.expect_download() as download:
            page.get_by_role("link", name="CSV", exact=True).click()
        assert len(download.value.path().read_text().splitlines()) > 3
        live = page.get_by_role("switch", name="Live")
        live.click()
        expect(page.locator("[data-phase=live]")).to_be_visible()
        live.click()

        page.reload()
        expect(page.locator(".total strong")).to_have_text("3")
        page.get_by_role("button", name="API key, one is set").click()
        page.get_by_role("button", name="Forget the key").click()
        expect(page.get_by_role("dialog", name="API key")).to_be_visible()
        assert key not in page.evaluate("() => JSON.stringify({...sessionStorage})")
        assert troubles.faults == []
        # Guessing keys is rate-limited, and the page sends several requests with each.
        assert [failure for failure in troubles.failures if not re.search("401|429", failure)] == []


def enter_key(page: Page, key: str) -> None:
    page.get_by_label("API key or token").fill(key)
    page.get_by_role("button", name="Use this key").click()


def test_what_alone_was_turned_away_is_asked_again(page: Page, still: ServedDatabase) -> None:
    """Sums and charts refused in an overload, while count and rows succeed, are retried without a click."""
    refused = {"Sums": True, "ByCountry": True}

    def answer(route: Route) -> None:
        name = next((name for name in refused if f"query {name}(" in (route.request.post_data or "")), None)
        if name is None or not refused[name]:
            route.continue_()
        else:
            errors = [{"message": "Too many questions.", "extensions": {"code": "OVERLOADED"}}]
            route.fulfill(status=503, headers={"Retry-After": "1"}, json={"errors": errors})

    page.route("**/graphql", answer)
    page.goto(still.gateway.url)
    country = page.get_by_role("region", name="By country")
    expect(country).to_contain_text("Temporarily unavailable.")
    expect(page.locator(".banner")).to_contain_text("Too many questions.")
    refused["Sums"] = False
    expect(page.locator("#sums")).to_contain_text("USD")
    expect(page.locator(".banner")).to_have_count(0)
    expect(country).to_contain_text("Temporarily unavailable.")
    refused["ByCountry"] = False
    expect(country).to_contain_text("United States")


def test_an_outage_is_told_and_ends_by_itself(tmp_path: Path, page: Page) -> None:
    """While the database is down the page says so and keeps its rows; once it is back, the page recovers by itself."""
    with run_replica_set(tmp_path, members=1) as replicas:
        fill(replicas, build_documents(STORED, until=read_clock_ms() - DAY_MS, address="1 Main Street"))
        impatient = replace(replicas.admin, uri=f"{replicas.admin.connection_uri}&serverSelectionTimeoutMS=500")
        folder = tmp_path / "gateway"
        folder.mkdir()
        with run_gateway(impatient, find_free_port(), folder) as gateway:
            troubles = note_troubles(page, gateway.url)
            open_explorer(page, gateway.url, "?days=365")
            assert read_total(page) == STORED
            replicas.members[0].kill()
            page.get_by_role("button", name="All time").click()
            outage = page.locator(".banner").filter(has=page.get_by_role("link", name="DATABASE_UNAVAILABLE"))
            expect(outage).to_be_visible()
            page.evaluate(COUNT_ABSENCES)
            expect(outage).to_contain_text("Trying again…")
            expect(outage).to_contain_text(re.compile(r"Trying again in \d"))
            assert page.evaluate("absences") == 0
            assert read_rows(page, 1)

            replicas.members[0].start()
            replicas.await_primary()
            expect(outage).to_be_hidden(timeout=60_000)
            await_answers(page)
            wait_until(lambda: read_total(page) == STORED, "the total")
            check_only_answers_failed(troubles)


def check_only_answers_failed(troubles: Troubles) -> None:
    assert troubles.faults == []
    assert troubles.failures
    assert [failure for failure in troubles.failures if "50" not in failure] == []


def test_a_gateway_that_is_gone_is_told_and_found_again(mongod: EmbeddedServer, tmp_path: Path, page: Page) -> None:
    """While the gateway is unreachable the page says so, and retries by itself until it responds."""
    with serve_database(mongod, tmp_path) as served:
        served.collection.insert_many(build_document(number) for number in range(3))
        port, folder = find_free_port(), tmp_path / "gone"
        folder.mkdir()
        with run_gateway(served.owner, port, folder) as gateway:
            open_explorer(page, gateway.url, "?days=all")
        page.get_by_role("button", name="Last 7 days").click()
        expect(page.get_by_text("The gateway cannot be reached.").first).to_be_visible()
        with run_gateway(served.owner, port, folder):
            expect(page.get_by_text("The gateway cannot be reached.")).to_have_count(0, timeout=60_000)
            await_answers(page)
            expect(page.locator(".total strong")).to_have_text("3")
            page.goto("about:blank")
