"""GraphQL subscriptions: added transactions and changed summaries reach their subscribers by both transports."""

import asyncio
import json
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings

from database.client import open_sync_client
from database.embedded import EmbeddedServer
from database.environment import DatabaseEnvironment
from database.index import COLLECTION
from database.provision import provision
from database.subscription import MOST_EVENTS
from gateway.caller import Scope
from gateway.keys import create_key
from schema.context import read_clock_ms
from tests.conftest import ServedDatabase, serve_database
from tests.live import connect, read_lines
from tests.process import read_log, run_gateway
from tests.reference import Document, Question, select
from tests.replica import run_replica_set
from tests.strategies import documents, inner_offsets, questions
from tests.waiting import find_free_port
from tests.websocket import Socket, build_subscribe, open_socket

NUMBER = "4929173856205713"
ADDED = """subscription ($filter: TransactionFilter, $after: String) {
    transactionAdded(filter: $filter, after: $after) { id }
}"""
SUMMARY = """(filter: $filter, groupBy: [COUNTRY]) {
    omitted groups { count country amounts { currency sum min max average } }
}"""
UNFILTERED = SUMMARY.replace("filter: $filter, ", "")
NOW_MS = read_clock_ms()


def build_document(name: str, **fields: Any) -> Document:
    return {
        "_id": name,
        "date": read_clock_ms(),
        "currency": "USD",
        "amount": 12.5,
        "vendor": "Acme Ltd",
        "address": "1 Main Street",
        "cardType": "Visa",
        "cardNumber": NUMBER,
        "countryOrigin": "US",
        **fields,
    }


class Events:
    """A reader of Server-Sent Events."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.lines = read_lines(response)
        self.last_id = ""

    def next(self) -> tuple[str, str]:
        """Return the next event's type and data; raises StopIteration at the end."""
        kind = data = ""
        while True:
            line = next(self.lines)
            name, _, value = line.partition(":")
            match name, line:
                case "event", _:
                    kind = value.strip()
                case "data", _:
                    data = value.strip()
                case "id", _:
                    self.last_id = value.strip()
                case "", "" if kind:
                    return kind, data

    def take(self, count: int) -> list[Any]:
        found = []
        for _ in range(count):
            kind, data = self.next()
            assert kind == "next"
            found.append(json.loads(data))
        return found


@contextmanager
def open_events(url: str, method: str = "POST", **parameters: Any) -> Iterator[Events]:
    """Subscribe by SSE until the block ends; no event is missed once it has begun."""
    headers = {"Accept": "text/event-stream"} | parameters.pop("headers", {})
    resumes = "Last-Event-ID" in headers
    asked: dict[str, Any] = {"json": parameters} if method == "POST" else {"params": parameters}
    with httpx.stream(method, f"{url}/graphql", headers=headers, timeout=60, **asked) as response:
        events = Events(response)
        if not resumes:
            # The comment that says that the subscription is open, and the id to resume from.
            for line in events.lines:
                if line.startswith("id:"):
                    events.last_id = line.removeprefix("id:").strip()
                if not line:
                    break
        yield events


def test_events_are_those_of_the_reference(served: ServedDatabase) -> None:
    """Both transports and REST deliver the added transactions that match a filter, in the order of insertion."""

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(documents(inner_offsets, NOW_MS).filter(bool), questions())
    def check(added: list[Document], question: Question) -> None:
        fitting = {document["_id"] for document in select(added, question, read_clock_ms())}
        expected = [document["_id"] for document in added if document["_id"] in fitting]
        wanted = question.write_filter()
        # The live path takes days as a query parameter.
        rest = question.write_parameters() | ({} if question.days is None else {"days": str(question.days)})
        with (
            open_events(served.gateway.url, query=ADDED, variables={"filter": wanted}) as events,
            connect(served.gateway.url, params=rest) as source,
        ):
            assert asyncio.run(hear(served, added, wanted)) == expected
            told = [result["data"]["transactionAdded"]["id"] for result in events.take(len(expected))]
            assert told == expected
            assert [row["_id"] for row in source.take(len(expected))] == expected

    check()


async def hear(served: ServedDatabase, added: list[Document], wanted: dict[str, Any]) -> list[str]:
    """Add documents and return the ids that a socket receives for a filter."""
    async with open_socket(served.gateway.url) as client:
        await client.init()
        await client.subscribe(ADDED, "fitting", variables={"filter": wanted})
        await client.subscribe(ADDED, "all")
        await asyncio.to_thread(served.collection.insert_many, added)
        heard: dict[str, list[str]] = {"fitting": [], "all": []}
        while len(heard["all"]) < len(added):
            await note(client, heard)
        await client.send({"id": "end", "type": "subscribe", "payload": {"query": "{ __typename }"}})
        while "end" not in heard:
            await note(client, heard)
        await asyncio.to_thread(
            served.collection.delete_many, {"_id": {"$in": [document["_id"] for document in added]}}
        )
        assert heard["all"] == [document["_id"] for document in added]
        return heard["fitting"]


async def note(client: Socket, heard: dict[str, list[str]]) -> None:
    message = await client.receive()
    if message["id"] == "end":
        heard["end"] = []
    else:
        heard[message["id"]].append(message["payload"]["data"]["transactionAdded"]["id"])


async def test_subscribers_see_what_they_select(served: ServedDatabase) -> None:
    """Subscribers to one document share results only with the same fields included, under the same names."""
    query = """
    subscription A($date: Boolean!) { t: transactionAdded(filter: {country: "XK"}) { id ...D @include(if: $date) } }
    subscription B { transactionAdded(filter: {country: "XK"}) { __typename cardNumber amount } }
    fragment D on Transaction { date }"""
    async with open_socket(served.gateway.url) as client:
        await client.init()
        for name, parameters in (
            ("dated", {"operationName": "A", "variables": {"date": True}}),
            ("plain", {"operationName": "A", "variables": {"date": False}}),
            ("other", {"operationName": "B"}),
            ("again", {"operationName": "A", "variables": {"date": True}}),
        ):
            await client.subscribe(query, name, **parameters)
        document = build_document("select", countryOrigin="XK", date=0)
        served.collection.insert_one(document)
        messages = [await client.receive() for _ in range(4)]
        payloads = {message["id"]: message["payload"] for message in messages}
    assert payloads["plain"]["data"] == {"t": {"id": "select"}}
    assert payloads["dated"]["data"] == {"t": {"id": "select", "date": "1970-01-01T00:00:00.000Z"}}
    assert payloads["again"] == payloads["dated"]
    shown = {"__typename": "Transaction", "cardNumber": "************5713", "amount": "12.5"}
    assert payloads["other"]["data"] == {"transactionAdded": shown}
    assert len({payload["extensions"]["eventId"] for payload in payloads.values()}) == 1


async def test_a_malformed_document_is_told_to_each(served: ServedDatabase) -> None:
    """A missing required field is an error of its event, with each subscriber's own request id."""
    query = 'subscription { transactionAdded(filter: {country: "QQ"}) { id currency } }'
    async with open_socket(served.gateway.url) as one, open_socket(served.gateway.url) as other:
        for client in (one, other):
            await client.init()
            await client.subscribe(query)
        served.collection.insert_one({"_id": "malformed", "countryOrigin": "QQ"})
        errors = [(await client.receive())["payload"]["errors"][0] for client in (one, other)]
        assert [error["extensions"]["code"] for error in errors] == ["MALFORMED_DOCUMENT"] * 2
        assert [error["path"] for error in errors] == [["transactionAdded", "currency"]] * 2
        assert len({error["extensions"]["request_id"] for error in errors}) == 2
        served.collection.insert_one(build_document("well formed", countryOrigin="QQ"))
        assert (await one.receive())["payload"]["data"] == {
            "transactionAdded": {"id": "well formed", "currency": "USD"}
        }


async def test_card_numbers_are_shown_to_who_may_see_them(mongod: EmbeddedServer, tmp_path: Path) -> None:
    """Of two concurrent subscribers to one document, only the one with cards:read sees the number."""
    file = tmp_path / "keys.json"
    scopes = {"plain": {Scope.TRANSACTIONS_READ}, "revealing": {Scope.TRANSACTIONS_READ, Scope.CARDS_READ}}
    keys = {name: create_key(file, name, frozenset(allowed))[1] for name, allowed in scopes.items()}
    heard: dict[str, list[str]] = {}
    with serve_database(mongod, tmp_path, GATEWAY_KEYS_FILE=str(file)) as served:
        headers = {name: {"Authorization": f"Bearer {key}"} for name, key in keys.items()}
        query = "subscription { transactionAdded { cardNumber } }"
        async with (
            open_socket(served.gateway.url, headers["plain"]) as plain,
            open_socket(served.gateway.url, headers["revealing"]) as revealing,
        ):
            for client in (plain, revealing):
                await client.init()
                await client.subscribe(query)
            forms: list[object] = [NUMBER, int(NUMBER), float(NUMBER)]
            served.collection.insert_many(
                [build_document(f"form {place}", cardNumber=form) for place, form in enumerate(forms)]
            )
            for name, client in (("plain", plain), ("revealing", revealing)):
                heard[name] = [json.dumps(await client.receive()) for _ in forms]
    assert all(re.search(r'"\*{12}5713"', message) for message in heard["plain"])
    assert not any(NUMBER[:-4] in message for message in heard["plain"])
    assert all(NUMBER in message for message in heard["revealing"])


async def hear_after(url: str, after: str | None, count: int) -> list[tuple[str, str]]:
    """Return the ids of `count` transactions and of their events, from a socket that resumes after an event."""
    async with open_socket(url) as client:
        await client.init()
        variables = {"after": after}
        await client.send({"id": "1", "type": "subscribe", "payload": {"query": ADDED, "variables": variables}})
        payloads = [(await client.receive())["payload"] for _ in range(count)]
    return [(each["data"]["transactionAdded"]["id"], each["extensions"]["eventId"]) for each in payloads]


def test_a_subscriber_resumes_after_an_event(
    environment: DatabaseEnvironment, reader_environment: DatabaseEnvironment, tmp_path: Path
) -> None:
    """Resuming after an event id yields what was added since, each once, by either transport and at any gateway."""
    names = [str(number) for number in range(5)]
    with open_sync_client(environment) as owner, run_gateway(reader_environment, find_free_port(), tmp_path) as gateway:
        with open_events(gateway.url, query=ADDED) as events:
            start = events.last_id
            owner[environment.database][COLLECTION].insert_many([build_document(name) for name in names])
            events.take(2)
        after = events.last_id
        assert [name for name, _ in asyncio.run(hear_after(gateway.url, after, 3))] == names[2:]
        assert [name for name, _ in asyncio.run(hear_after(gateway.url, start, 5))] == names
    with run_gateway(reader_environment, find_free_port(), tmp_path) as gateway:
        told = asyncio.run(hear_after(gateway.url, after, 3))
        assert [name for name, _ in told] == names[2:]
        with open_events(gateway.url, "GET", query=ADDED, headers={"Last-Event-ID": told[0][1]}) as events:
            assert [each["data"]["transactionAdded"]["id"] for each in events.take(2)] == names[3:]


def test_a_stop_is_no_end_of_events(mongod: EmbeddedServer, tmp_path: Path) -> None:
    """A gateway that stops ends its event streams without `complete`, so that clients reconnect."""
    with serve_database(mongod, tmp_path) as served, open_events(served.gateway.url, query=ADDED) as events:
        served.gateway.process.send_signal(signal.SIGTERM)
        with pytest.raises(StopIteration):
            events.next()
    assert not [line for line in read_log(tmp_path) if line["level"] != "info"]


def test_events_need_their_media_type(served: ServedDatabase) -> None:
    """A subscription over plain HTTP gets 406 naming the media type; a query by SSE has one result and an end."""
    url, query = f"{served.gateway.url}/graphql", {"query": "subscription { transactionAdded { id } }"}
    for accept in ("*/*", "application/json", "application/graphql-response+json", "text/event-stream;q=0"):
        refused = httpx.post(url, json=query, headers={"Accept": accept})
        assert refused.status_code == 406
        assert "text/event-stream" in refused.json()["errors"][0]["message"]
    refused = httpx.get(url, params=query)
    assert refused.status_code == 406
    plain = {"query": "{ __typename }"}
    takes_events = {"Accept": "text/event-stream"}
    by_post = httpx.post(url, json=plain, headers=takes_events)
    for answer in (by_post, httpx.get(url, params=plain, headers=takes_events)):
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert answer.text == 'event: next\ndata: {"data":{"__typename":"Query"}}\n\nevent: complete\ndata:\n\n'


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("subscription { unknown }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { transactionAdded(filter: {days: -1}) { id } }", "INVALID_DAYS"),
        ('subscription { transactionAdded(after: "bad") { id } }', "LIVE_EVENT_UNKNOWN"),
    ],
)
def test_errors_come_as_events(served: ServedDatabase, query: str, code: str) -> None:
    """An operation's error is its only result, and ends the stream."""
    answer = httpx.post(f"{served.gateway.url}/graphql", json={"query": query}, headers={"Accept": "text/event-stream"})
    [result] = re.findall("event: next\ndata: (.*)", answer.text)
    assert json.loads(result)["errors"][0]["extensions"]["code"] == code
    assert answer.text.endswith("event: complete\ndata:\n\n")


async def test_a_summary_is_told_when_it_changes(served: ServedDatabase) -> None:
    """The summary arrives at once, again after a burst in its current state, and not for changes outside the filter."""
    variables: dict[str, Any] = {"filter": {"cardType": "Summarised"}}
    query = f"query ($filter: TransactionFilter) {{ summary: transactionSummary{SUMMARY} }}"
    subscription = f"subscription ($filter: TransactionFilter) {{ summary: summaryChanged{SUMMARY} }}"

    async def hear(client: Socket) -> Any:
        message = await client.receive()
        assert message["id"] == "summary", message
        return message["payload"]["data"]["summary"]

    def add(*documents: Document) -> None:
        served.collection.insert_many(documents)

    async with open_socket(served.gateway.url) as client, open_socket(served.gateway.url) as asker:
        for each in (client, asker):
            await each.init()
        subscribe = {"query": subscription, "variables": variables}
        await client.send({"id": "summary", "type": "subscribe", "payload": subscribe})
        assert (await hear(client))["groups"] == []
        add(*(build_document(f"burst {number}", cardType="SUMMARISED", amount=number / 100) for number in range(50)))
        heard = await hear(client)
        while heard["groups"][0]["count"] < 50:
            heard = await hear(client)
        add(build_document("not of it"), build_document("of it", cardType="summarised", currency="EUR"))
        last = await hear(client)
        current = (await asker.ask(query, variables=variables))["payload"]["data"]["summary"]
    assert heard["groups"][0]["amounts"][0]["sum"] == "12.25"
    assert last == current
    assert {amounts["currency"] for amounts in last["groups"][0]["amounts"]} == {"USD", "EUR"}


async def test_percentiles_are_told_as_they_were_asked_for(served: ServedDatabase) -> None:
    """A subscriber that requests the percentile 50.0 gets it so, although another watches the same summary with 50."""
    served.collection.insert_one(build_document("ranked", cardType="Ranked"))
    subscription = """subscription ($percentiles: [Decimal!]) {
        summaryChanged(filter: {cardType: "ranked"}, percentiles: $percentiles) {
            groups { amounts { percentiles { percentile } } }
        }
    }"""
    async with open_socket(served.gateway.url) as client:
        await client.init()
        for percentile in ("50", "50.0"):
            await client.send(build_subscribe(subscription, percentile, variables={"percentiles": [percentile]}))
            message = await client.receive()
            assert message["id"] == percentile
            [group] = message["payload"]["data"]["summaryChanged"]["groups"]
            assert group["amounts"][0]["percentiles"] == [{"percentile": percentile}]


async def test_a_summary_is_told_after_any_burst(served: ServedDatabase) -> None:
    """However many transactions are added between two summaries, the following ones include them and later ones."""
    flood = [build_document(f"flood {number}", cardType="Flooded") for number in range(10 * MOST_EVENTS)]
    subscription = f"subscription ($filter: TransactionFilter) {{ summary: summaryChanged{SUMMARY} }}"
    async with open_socket(served.gateway.url) as client:

        async def hear(count: int) -> None:
            found = None
            while found != count:
                message = await client.receive()
                assert message["type"] == "next", message
                found = sum(group["count"] for group in message["payload"]["data"]["summary"]["groups"])

        await client.init()
        await client.send(build_subscribe(subscription, "summary", variables={"filter": {"cardType": "flooded"}}))
        await hear(0)
        await asyncio.to_thread(served.collection.insert_many, flood)
        await hear(len(flood))
        served.collection.insert_one(build_document("after the flood", cardType="Flooded"))
        await hear(len(flood) + 1)


async def test_a_summary_outlives_an_absence(tmp_path: Path) -> None:
    """A summary that falls due while the database is away is sent when it is back."""
    with run_replica_set(tmp_path, members=1) as replicas:
        provision(replicas.admin)
        collection = replicas.client.get_default_database()[COLLECTION]
        with run_gateway(replicas.admin, find_free_port(), tmp_path) as gateway:
            async with open_socket(gateway.url) as client, open_socket(gateway.url) as watcher:

                async def hear(count: int) -> None:
                    message = await client.receive()
                    assert message["type"] == "next", message
                    assert [group["count"] for group in message["payload"]["data"]["summary"]["groups"]] == [count]

                for each in (client, watcher):
                    await each.init()
                await watcher.subscribe(ADDED)
                collection.insert_one(build_document("before"))
                await client.send(build_subscribe(f"subscription {{ summary: summaryChanged{UNFILTERED} }}", "summary"))
                await hear(1)
                collection.insert_one(build_document("meanwhile"))
                while (await watcher.receive())["payload"]["data"]["transactionAdded"]["id"] != "meanwhile":
                    pass
                # The next summary is due within a second of the last one.
                replicas.members[0].kill()
                for _ in range(3):
                    answer = await asyncio.to_thread(httpx.get, f"{gateway.url}/transactions/1", timeout=30)
                    assert answer.status_code == 503
                replicas.members[0].start()
                await hear(2)


def test_heartbeats_keep_a_stream_open(mongod: EmbeddedServer, tmp_path: Path) -> None:
    """A stream stays open without events for longer than the request timeout."""
    with (
        serve_database(mongod, tmp_path, GATEWAY_REQUEST_TIMEOUT_MS="2000") as served,
        open_events(served.gateway.url, query=ADDED) as events,
    ):
        beats = [line for line in (next(events.lines) for _ in range(12)) if line.startswith("id:")]
        assert len(beats) == 4
        served.collection.insert_one(build_document("late"))
        assert events.take(1)[0]["data"]["transactionAdded"]["id"] == "late"
