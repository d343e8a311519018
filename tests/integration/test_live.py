"""Live transactions by Server-Sent Events, from a gateway run as a user runs it."""

import signal
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from database.embedded import EmbeddedServer
from gateway.caller import Scope
from gateway.keys import create_key, revoke_key
from schema.context import read_clock_ms
from tests.conftest import ServedDatabase, serve_database
from tests.live import connect
from tests.process import STOP_SECONDS, run_gateway
from tests.waiting import find_free_port, wait_until

NUMBER = "4111111111111111"


def build_document(name: str, **fields: Any) -> dict[str, Any]:
    return {
        "_id": name,
        "date": read_clock_ms(),
        "currency": "USD",
        "amount": 129.95,
        "vendor": "Acme Ltd",
        "address": "1 Main Street\nSpringfield",
        "cardType": "Visa",
        "cardNumber": NUMBER,
        "countryOrigin": "US",
        "foreign": "kept back",
        **fields,
    }


def test_an_added_transaction_is_told(served: ServedDatabase) -> None:
    """An inserted transaction arrives as an event whose data is its row in the list, byte for byte."""
    with connect(served.gateway.url) as source:
        served.collection.insert_one(build_document("told"))
        headers = source.response.headers
        line = next(line for line in source.lines if line.startswith("data: "))
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["cache-control"] == "no-store"
    assert headers["x-accel-buffering"] == "no"
    rows = httpx.get(f"{served.gateway.url}/transactions/1").content
    assert line.removeprefix("data: ").encode() in rows
    assert NUMBER not in line
    assert "kept back" not in line


def test_filters_hold_together(served: ServedDatabase) -> None:
    """Only added transactions that match all filters arrive; card and country match in any case."""
    filters = {"days": "1", "card": "visa", "country": "usa", "minAmount": "100", "maxAmount": "200.00"}
    with connect(served.gateway.url, params=filters) as source:
        served.collection.insert_many(
            [
                build_document("old", date=read_clock_ms() - 86_400_001 - 60_000),
                build_document("ahead", date=read_clock_ms() + 3_600_000),
                build_document("other card", cardType="Amex"),
                build_document("other country", countryOrigin="CH"),
                build_document("small", amount=99.99),
                build_document("large", amount=200.01),
                build_document("fit", cardType="VISA", countryOrigin="us", amount=200),
            ]
        )
        assert [row["_id"] for row in source.take(1)] == ["fit"]


def test_a_client_goes_on_where_it_was(served: ServedDatabase) -> None:
    """Reconnecting with an event's id, or the first id, yields what was added since, each once and in order."""
    with connect(served.gateway.url) as source:
        first = source.last_event_id
        served.collection.insert_many([build_document(f"on {number}") for number in range(5)])
        source.take(2)
    for last, names in ((source.last_event_id, range(2, 6)), (first, range(6))):
        if last != first:
            served.collection.insert_one(build_document("on 5"))
        with connect(served.gateway.url, last) as again:
            assert [row["_id"] for row in again.take(len(names))] == [f"on {number}" for number in names]
    with connect(served.gateway.url, params={"lastEventId": first}, headers={"Last-Event-ID": ""}) as again:
        assert [row["_id"] for row in again.take(1)] == ["on 0"]


@pytest.mark.parametrize("last", ["x", "xtvJp4JrBL51AAAALCsCKSluBA", "é", "A" * 3_000])
def test_an_id_of_no_event_is_refused(served: ServedDatabase, last: str) -> None:
    """A made-up id, or one of another database, gets 400, never a stream from another position."""
    answer = httpx.get(f"{served.gateway.url}/transactions/live", headers={b"Last-Event-ID": last.encode()})
    assert (answer.status_code, answer.json()["code"]) == (400, "LIVE_EVENT_UNKNOWN")


@pytest.mark.parametrize(
    ("query", "accept", "code"),
    [
        ("days=-1", "*/*", "INVALID_DAYS"),
        ("card=", "*/*", "INVALID_CARD_TYPE"),
        ("minAmount=2&maxAmount=1", "*/*", "INVALID_AMOUNT"),
        ("limit=5", "*/*", "INVALID_PARAMETER"),
        ("", "application/json", "NOT_ACCEPTABLE"),
    ],
)
def test_what_is_wrong_is_told_before_the_stream(served: ServedDatabase, query: str, accept: str, code: str) -> None:
    """An invalid request gets a problem with its code, as on the other paths."""
    answer = httpx.get(f"{served.gateway.url}/transactions/live?{query}", headers={"Accept": accept})
    assert answer.json()["code"] == code


def test_head_has_no_stream(served: ServedDatabase) -> None:
    """HEAD returns the stream's headers and ends."""
    answer = httpx.head(f"{served.gateway.url}/transactions/live")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_a_stream_is_no_request_in_flight(served: ServedDatabase) -> None:
    """A listener counts as a subscriber until it leaves, not as a request in flight."""

    def read_metric(name: str) -> float:
        text = httpx.get(f"{served.gateway.url}/metrics").text
        return float(next(line for line in text.splitlines() if line.startswith(name)).split()[-1])

    before = read_metric("gateway_live_subscribers")
    with connect(served.gateway.url):
        assert read_metric("gateway_live_subscribers") == before + 1
        # The metrics request itself.
        assert read_metric("gateway_requests_in_flight") == 1
    wait_until(lambda: read_metric("gateway_live_subscribers") == before, "the subscriber to be gone")


def test_heartbeats_renew_the_id(mongod: EmbeddedServer, tmp_path: Path) -> None:
    """While nothing matches, comments arrive within the timeout, with ids that move past what does not match."""
    with (
        serve_database(mongod, tmp_path, GATEWAY_REQUEST_TIMEOUT_MS="2000") as served,
        connect(served.gateway.url, params={"card": "Amex"}) as source,
    ):
        first = last = source.last_event_id
        served.collection.insert_one(build_document("not wanted"))
        while source.comments < 5 or last == first:
            line = next(source.lines)
            source.comments += line.startswith(":")
            last = line.removeprefix("id: ") if line.startswith("id: ") else last
        served.collection.insert_one(build_document("after silence"))
        with connect(served.gateway.url, last) as again:
            assert [row["_id"] for row in again.take(1)] == ["after silence"]


def test_a_caller_has_a_number_of_streams(mongod: EmbeddedServer, tmp_path: Path) -> None:
    """One stream beyond the limit gets 429 with its code; when a stream leaves, its slot is free again."""
    with serve_database(mongod, tmp_path, GATEWAY_MAX_SUBSCRIPTIONS="1") as served:
        with connect(served.gateway.url):
            answer = httpx.get(f"{served.gateway.url}/transactions/live")
            assert (answer.status_code, answer.json()["code"]) == (429, "LIVE_TOO_MANY")
        url = f"{served.gateway.url}/transactions/live"
        wait_until(lambda: httpx.head(url).is_success, "the place")


def test_a_stop_ends_streams_cleanly(mongod: EmbeddedServer, tmp_path: Path) -> None:
    """SIGTERM ends each stream as a complete body with a reconnection time; what is added meanwhile is not lost."""
    with serve_database(mongod, tmp_path, GATEWAY_DRAIN_SECONDS="60") as served:
        with connect(served.gateway.url) as source:
            last = source.last_event_id
            served.gateway.process.send_signal(signal.SIGTERM)
            # The stream ends completely: httpx raises if the last chunk is missing.
            assert [line for line in source.lines if line][-1].startswith("retry: ")
        served.collection.insert_one(build_document("while it was away"))
        served.gateway.process.wait(STOP_SECONDS)
        folder = tmp_path / "next"
        folder.mkdir()
        with run_gateway(served.owner, find_free_port(), folder) as gateway, connect(gateway.url, last) as again:
            assert [row["_id"] for row in again.take(1)] == ["while it was away"]


def create_text(path: Path, *scopes: Scope, lifetime: timedelta | None = None) -> tuple[str, dict[str, str]]:
    """Return a new key's id, and the header that carries the key."""
    key, text = create_key(path, "live", frozenset({Scope.TRANSACTIONS_READ, *scopes}), lifetime)
    return key.id, {"Authorization": f"Bearer {text}"}


def test_the_whole_number_is_for_those_who_may_see_it(mongod: EmbeddedServer, tmp_path: Path) -> None:
    """With cards:read the number comes in full; without, no event or replay has it, and no log line ever has it."""
    keys = tmp_path / "keys.json"
    _, seeing = create_text(keys, Scope.CARDS_READ)
    _, plain = create_text(keys)
    with serve_database(mongod, tmp_path, GATEWAY_KEYS_FILE=str(keys)) as served:
        url = served.gateway.url
        assert httpx.get(f"{url}/transactions/live").status_code == 401
        with connect(url, headers=seeing) as one, connect(url, headers=plain) as other:
            first = other.last_event_id
            served.collection.insert_one(build_document("secret"))
            assert one.take(1)[0]["cardNumber"] == NUMBER
            assert other.take(1)[0]["cardNumber"] == "*" * 12 + NUMBER[-4:]
        with connect(url, first, headers=plain) as again:
            assert NUMBER not in str(again.take(1))
    assert NUMBER not in (tmp_path / "gateway.log").read_text()


def test_a_key_that_ends_ends_its_streams(mongod: EmbeddedServer, tmp_path: Path) -> None:
    """A key that is revoked or expires ends its streams with an error; another caller's stream continues."""
    keys = tmp_path / "keys.json"
    lasting = create_text(keys)[1]
    revoked_id, revoked = create_text(keys)
    # Created before the start: polling until new keys are known would use up the address's allowed failures.
    expired = create_text(keys, lifetime=timedelta(seconds=30))[1]
    with serve_database(mongod, tmp_path, GATEWAY_KEYS_FILE=str(keys), GATEWAY_REQUEST_TIMEOUT_MS="5000") as served:
        url = served.gateway.url
        with ExitStack() as stack:
            sources = [stack.enter_context(connect(url, headers=headers)) for headers in (lasting, revoked, expired)]
            revoke_key(keys, revoked_id)
            for source in sources[1:]:
                kind, problem = source.next()
                assert (kind, problem["code"]) == ("error", "UNAUTHENTICATED")
                with pytest.raises(StopIteration):
                    source.next()
            served.collection.insert_one(build_document("for others"))
            assert [row["_id"] for row in sources[0].take(1)] == ["for others"]
