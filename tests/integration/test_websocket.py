"""GraphQL over WebSocket, from a gateway run as a user runs it: protocol, access and robustness."""

import asyncio
import base64
import json
import os
import re
import signal
import socket
import struct
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from database.embedded import EmbeddedServer
from gateway.caller import Scope
from gateway.keys import create_key, revoke_key
from tests.conftest import ServedDatabase, serve_database
from tests.process import read_log
from tests.waiting import hang, wait_until
from tests.websocket import SUBPROTOCOL, Socket, build_subscribe, open_socket

QUERY = "{ __typename }"
ADDED = "subscription { transactionAdded { id } }"
INVALID_TEXT = b"\xff"
HANDSHAKE = {
    "Host": "localhost",
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": base64.b64encode(b"0123456789abcdef").decode(),
    "Sec-WebSocket-Protocol": SUBPROTOCOL,
}


def send_handshake(url: str, path: str = "/graphql", **changes: str | None) -> bytes:
    """Send the head of a request, and return the first bytes of the response."""
    address = urlsplit(url)
    changed = HANDSHAKE | {name.replace("_", "-"): value for name, value in changes.items()}
    lines = [f"{name}: {value}" for name, value in changed.items() if value is not None]
    with socket.create_connection((address.hostname, address.port), 30) as connection:
        connection.sendall("\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode())
        return connection.recv(10_000)


def read_metric(url: str, name: str) -> float:
    found = re.search(rf"^{name} (\S+)$", httpx.get(f"{url}/metrics").text, re.MULTILINE)
    return float(found[1]) if found else 0.0


async def test_a_query_is_answered(served: ServedDatabase) -> None:
    """A query returns the result that HTTP returns, and completes; its id is then free again."""
    async with open_socket(served.gateway.url) as client:
        await client.init()
        query = "query One($first: Int) { transactions(first: $first) { nodes { id cardNumber } totalCount } }"
        parameters: dict[str, Any] = {"variables": {"first": 2}, "operationName": "One"}
        asked = {"query": query, **parameters}
        by_http = (await asyncio.to_thread(httpx.post, f"{served.gateway.url}/graphql", json=asked)).json()
        for _ in range(2):
            assert (await client.ask(query, "same", **parameters))["payload"] == by_http


async def test_an_error_beside_data_is_counted(served: ServedDatabase) -> None:
    """An operation with errors beside data is counted in the error metric, as over HTTP."""
    name = 'gateway_errors_total{code="INVALID_REPRESENTATION"}'
    before = await asyncio.to_thread(read_metric, served.gateway.url, name)
    async with open_socket(served.gateway.url) as client:
        await client.init()
        answer = await client.ask('{ _entities(representations: [{__typename: "Nothing"}]) { __typename } }')
    assert answer["payload"]["data"] == {"_entities": [None]}
    assert await asyncio.to_thread(read_metric, served.gateway.url, name) == before + 1


async def test_errors_have_the_one_shape(served: ServedDatabase) -> None:
    """A failed operation ends with the errors that HTTP returns, and the socket stays open."""
    async with open_socket(served.gateway.url) as client:
        await client.init()
        for query, code in (
            ("{", "GRAPHQL_PARSE_FAILED"),
            ("{ unknown }", "GRAPHQL_VALIDATION_FAILED"),
            ("query ($n: Int!) { transactions(first: $n) { totalCount } }", "GRAPHQL_VARIABLES_INVALID"),
            ("query A { a: __typename } query B { b: __typename }", "GRAPHQL_OPERATION_NOT_FOUND"),
            ("{ a " * 30 + "}" * 30, "QUERY_TOO_DEEP"),
            ("{" + " ".join(f"a{number}: __typename" for number in range(31)) + "}", "TOO_MANY_ALIASES"),
            ("{ __typename }" + " " * 50_000, "DOCUMENT_TOO_LARGE"),
            ("subscription { transactionAdded { id } other: transactionAdded { id } }", "GRAPHQL_VALIDATION_FAILED"),
            ("subscription { transactionAdded(filter: {days: -1}) { id } }", "INVALID_DAYS"),
            ('subscription { transactionAdded(after: "nonsense") { id } }', "LIVE_EVENT_UNKNOWN"),
            ("subscription { summaryChanged(groupBy: [DAY, DAY]) { omitted } }", "INVALID_GROUPING"),
        ):
            answer = await client.ask(query)
            assert answer["type"] == "error", query
            assert answer["payload"][0]["extensions"]["code"] == code
            assert re.fullmatch("[0-9a-f]{32}", answer["payload"][0]["extensions"]["request_id"])
        fault = await client.ask("{ transactions(first: -1) { totalCount } }")
        assert fault["payload"]["errors"][0]["extensions"]["code"] == "INVALID_PAGE"
        by_hash = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}}
        await client.send({"id": "hash", "type": "subscribe", "payload": by_hash})
        assert (await client.receive())["payload"][0]["message"] == "PersistedQueryNotFound"


async def test_a_subscription_that_is_taken_back_keeps_nobody_waiting(served: ServedDatabase) -> None:
    """A query that follows a subscription is answered even if the subscription was completed before it started."""
    async with open_socket(served.gateway.url) as client:
        await client.init()
        for _ in range(5):
            await client.send(
                build_subscribe(ADDED, "taken back"),
                build_subscribe(QUERY, "query"),
                {"id": "taken back", "type": "complete"},
            )
            assert [(await client.receive())["type"] for _ in range(2)] == ["next", "complete"]


async def test_pings_are_answered(served: ServedDatabase) -> None:
    """A ping is answered before and after initialisation, and a pong is not."""
    async with open_socket(served.gateway.url) as client:
        await client.send({"type": "ping"}, {"type": "pong"}, {"type": "ping", "payload": {"any": 1}})
        assert [await client.receive(), await client.receive()] == [{"type": "pong"}] * 2
        await client.init()
        await client.send({"type": "ping"})
        assert await client.receive() == {"type": "pong"}


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        (["nonsense"], 4400),
        (['{"type": "unknown"}'], 4400),
        (["[]"], 4400),
        ([b"{}"], 4400),
        ([INVALID_TEXT, INVALID_TEXT], 1007),
        (['{"type": "connection_init", "payload": []}'], 4400),
        (['{"type": "connection_init"}', '{"type": "subscribe", "id": "1"}'], 4400),
        (['{"type": "connection_init"}', '{"type": "subscribe", "id": 1, "payload": {"query": "{a}"}}'], 4400),
        (['{"type": "connection_init"}', '{"type": "subscribe", "id": "1", "payload": {"query": 1}}'], 4400),
        (['{"type": "connection_init"}'] * 2, 4429),
        ([json.dumps(build_subscribe(QUERY, "1"))], 4401),
        (['{"type": "connection_init"}', *([json.dumps(build_subscribe(ADDED, "1"))] * 2)], 4409),
        (["x" * 100_001], 1009),
    ],
)
async def test_what_breaks_the_protocol_closes(served: ServedDatabase, messages: list[str | bytes], code: int) -> None:
    """A message that violates the protocol closes the socket with the specified code."""
    async with open_socket(served.gateway.url) as client:
        for message in messages:
            await client.connection.send(message, text=True if message is INVALID_TEXT else None)
        assert (await client.await_close())[0] == code


async def test_a_silent_client_is_let_go(served: ServedDatabase) -> None:
    """A client that does not initialise within seconds is closed with 4408."""
    async with open_socket(served.gateway.url) as client:
        assert await client.await_close() == (4408, "Connection initialisation timeout")


@pytest.mark.parametrize("offered", [(), ("graphql-ws",), ("graphql-ws", "soap")])
async def test_another_subprotocol_is_refused(served: ServedDatabase, offered: tuple[str, ...]) -> None:
    """A client that does not offer graphql-transport-ws gets 400 naming it, before the upgrade."""
    with pytest.raises(InvalidStatus) as refused:
        async with open_socket(served.gateway.url, subprotocols=offered):
            pass
    answer = refused.value.response
    assert answer.status_code == 400
    assert b"graphql-transport-ws" in bytes(answer.body or b"")


@pytest.mark.parametrize(
    ("path", "changes", "status"),
    [
        ("/transactions/1", {}, b"200"),
        ("/graphql", {"Sec_WebSocket_Version": "8"}, b"400"),
        ("/graphql", {"Sec_WebSocket_Key": "short"}, b"400"),
        ("/graphql", {"Upgrade": "h2c"}, b"400"),
        ("/graphql", {"X_Long": "a" * 20_000}, b"400"),
        ("/graphql", {"Host": "evil.example"}, b"421"),
        ("/graphql", {"Origin": "https://evil.example"}, b"403"),
        ("/graphql", {"Sec_Fetch_Site": "cross-site"}, b"403"),
        ("/graphql", {"Origin": "http://localhost"}, b"101"),
        ("/graphql?query=%7B__typename%7D", {}, b"101"),
    ],
)
def test_only_a_whole_handshake_of_this_site_opens(
    served: ServedDatabase, path: str, changes: dict[str, str], status: bytes
) -> None:
    """An incomplete handshake is treated as HTTP, and one from another host or site is refused."""
    assert send_handshake(served.gateway.url, path, **changes).split(b" ", 2)[1] == status


@dataclass(frozen=True)
class Guarded:
    """A gateway that requires keys, the key file, and the keys and their ids by name."""

    served: ServedDatabase
    file: Path
    ids: dict[str, str]
    keys: dict[str, str]

    def open(self, key: str | None = None) -> AbstractAsyncContextManager[Socket]:
        headers = {"Authorization": f"Bearer {self.keys[key]}"} if key else None
        return open_socket(self.served.gateway.url, headers)


@pytest.fixture(scope="module")
def guarded(mongod: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    file = folder / "keys.json"
    read = Scope.TRANSACTIONS_READ
    kinds = {"reader": [read], "other": [read], "lost": [read], "revealing": [read, Scope.CARDS_READ]}
    made = {name: create_key(file, name, frozenset(scopes)) for name, scopes in kinds.items()}
    made["blind"] = create_key(file, "blind", frozenset({Scope.METRICS_READ}))
    limits = {"GATEWAY_MAX_SUBSCRIPTIONS": "2", "GATEWAY_FAILURES_PER_MINUTE": "12"}
    with serve_database(mongod, folder, GATEWAY_KEYS_FILE=str(file), **limits) as served:
        yield Guarded(
            served,
            file,
            {name: key.id for name, (key, _) in made.items()},
            {name: text for name, (_, text) in made.items()},
        )


@pytest.mark.parametrize(("name", "shown"), [("reader", "************1111"), ("revealing", "4111111111111111")])
async def test_credentials_come_by_header_or_message(guarded: Guarded, name: str, shown: str) -> None:
    """A key is taken from the handshake or from connection_init; either reveals what its scopes allow."""
    document = {"_id": name, "date": 0, "currency": "USD", "amount": 1, "cardType": "Visa", "countryOrigin": "US"}
    guarded.served.collection.insert_one({**document, "cardNumber": "4111111111111111"})
    bearer = f"Bearer {guarded.keys[name]}"
    for header, payload in ((name, None), (None, {"Authorization": bearer}), (None, {"authorization": bearer})):
        async with guarded.open(header) as client:
            await client.init(payload)
            answer = await client.ask(
                "query ($id: ID!) { transaction(id: $id) { cardNumber } }", variables={"id": name}
            )
            assert answer["payload"]["data"]["transaction"]["cardNumber"] == shown


async def test_bad_credentials_tell_nothing(guarded: Guarded) -> None:
    """Missing, wrong and ambiguous credentials are closed with 4403 and one reason, after many failures with 1013."""
    key = guarded.keys["reader"]
    right, wrong = f"Bearer {key}", f"Bearer {key[:-1]}{'A' if key[-1] != 'A' else 'B'}"

    async def fail(payload: dict[str, object], key: str | None = None) -> tuple[int, str]:
        async with guarded.open(key) as client:
            await client.send({"type": "connection_init", "payload": payload})
            return await client.await_close()

    reasons = {
        await fail({}),
        await fail({"Authorization": wrong}),
        await fail({"Authorization": [right]}),
        await fail({"Authorization": right, "X-API-Key": key}),
        await fail({"Authorization": right}, "reader"),
        await fail({"Authorization": "😀"}),
    }
    assert [code for code, _ in reasons] == [4403]
    code, reason = await fail({}, "blind")
    assert code == 4403
    assert "transactions:read" in reason
    assert [(await fail({}))[0] for _ in range(8)][-1] == 1013


async def test_a_credential_of_any_depth_is_read(served: ServedDatabase) -> None:
    """A credential that is not a string, nested as deeply as JSON may be, is rejected without an internal error."""
    async with open_socket(served.gateway.url) as client:
        depth = 1_000
        payload = f'{{"Authorization": {"[" * depth}{"]" * depth}}}'
        await client.connection.send(f'{{"type": "connection_init", "payload": {payload}}}')
        assert await client.receive() == {"type": "connection_ack"}


async def test_a_revoked_key_ends_its_socket(guarded: Guarded) -> None:
    """A socket whose key is revoked is closed with 4403."""
    async with guarded.open() as client:
        await client.init({"Authorization": f"Bearer {guarded.keys['lost']}"})
        await client.subscribe(ADDED)
        revoke_key(guarded.file, guarded.ids["lost"])
        assert (await client.await_close())[0] == 4403


async def test_a_caller_holds_so_many_subscriptions(guarded: Guarded) -> None:
    """One subscription beyond a caller's limit, over all its sockets, is refused; one that ends makes room."""
    async with guarded.open("other") as one, guarded.open("other") as other:
        await one.init()
        await other.init()
        await one.subscribe(ADDED, "1")
        await other.subscribe(ADDED, "2")
        assert (await other.ask(ADDED, "3"))["payload"][0]["extensions"]["code"] == "LIVE_TOO_MANY"
        await one.send({"id": "1", "type": "complete"})
        await one.ask(QUERY)
        await other.subscribe(ADDED, "3")


async def test_a_client_that_leaves_ends_its_subscriptions(served: ServedDatabase) -> None:
    """Whether a client completes, closes or aborts, its subscriptions end in the feed."""
    before = read_metric(served.gateway.url, "gateway_live_subscribers")

    def count() -> float:
        return read_metric(served.gateway.url, "gateway_live_subscribers") - before

    async with open_socket(served.gateway.url) as client:
        await client.init()
        for name in ("1", "2", "3"):
            await client.subscribe(ADDED, name)
        assert count() == 3
        await client.send({"id": "2", "type": "complete"})
        await client.ask(QUERY)
        await asyncio.to_thread(wait_until, lambda: count() == 2)
        client.connection.transport.abort()
    await asyncio.to_thread(wait_until, lambda: count() == 0)


async def test_a_stop_sends_clients_elsewhere(mongod: EmbeddedServer, tmp_path: Path) -> None:
    """A gateway that stops closes its sockets with 1012, without completing subscriptions."""
    with serve_database(mongod, tmp_path) as served:
        async with open_socket(served.gateway.url) as client:
            await client.init()
            await client.subscribe(ADDED)
            served.gateway.process.send_signal(signal.SIGTERM)
            with pytest.raises(ConnectionClosedError) as closed:
                await client.receive()
    assert closed.value.rcvd
    assert closed.value.rcvd.code == 1012
    assert not [line for line in read_log(tmp_path) if line["level"] != "info"]


async def test_nobody_waits_for_the_end_of_a_summary(mongod: EmbeddedServer, tmp_path: Path) -> None:
    """While a summary waits for the database, another query is served, even with a concurrency limit of 1."""
    with serve_database(mongod, tmp_path, GATEWAY_MAX_CONCURRENT="1") as served:
        async with open_socket(served.gateway.url) as client:
            await client.init()
            hang(mongod.pid)
            try:
                await client.send(build_subscribe("{ transactionSummary { omitted } }", "summary"))
                assert (await client.ask(QUERY))["payload"] == {"data": {"__typename": "Query"}}
            finally:
                os.kill(mongod.pid, signal.SIGCONT)


async def test_a_subscription_during_a_stop_is_not_completed(mongod: EmbeddedServer, tmp_path: Path) -> None:
    """While a query keeps a stopping gateway's socket open, a new subscription is not completed."""
    with serve_database(mongod, tmp_path) as served:
        address = urlsplit(served.gateway.url)
        ping = {"type": "ping"}

        def is_refusing() -> bool:
            with socket.socket() as caller:
                return caller.connect_ex((address.hostname, address.port)) != 0

        async with open_socket(served.gateway.url) as client:
            await client.init()
            await client.subscribe(ADDED)
            hang(mongod.pid)
            try:
                await client.send(build_subscribe("{ transactions { totalCount } }", "query"), ping)
                assert await client.receive() == {"type": "pong"}
                served.gateway.process.send_signal(signal.SIGTERM)
                await asyncio.to_thread(wait_until, is_refusing, "the port to refuse")
                await client.send(build_subscribe(ADDED, "late"), ping)
                assert await client.receive() == {"type": "pong"}
            finally:
                os.kill(mongod.pid, signal.SIGCONT)
            told = [await client.receive() for _ in range(2)]
            with pytest.raises(ConnectionClosedError) as closed:
                await client.receive()
    assert [(message["id"], message["type"]) for message in told] == [("query", "next"), ("query", "complete")]
    assert closed.value.rcvd
    assert closed.value.rcvd.code == 1012


def test_who_takes_nothing_is_cut_off(mongod: EmbeddedServer, tmp_path: Path) -> None:
    """A client that keeps sending and reads nothing is disconnected, and nothing is logged as a failure."""
    with serve_database(mongod, tmp_path, GATEWAY_REQUEST_TIMEOUT_MS="500") as served:
        address = urlsplit(served.gateway.url)
        with socket.create_connection((address.hostname, address.port), 60) as connection:
            lines = [f"{name}: {value}" for name, value in HANDSHAKE.items()]
            connection.sendall("\r\n".join(["GET /graphql HTTP/1.1", *lines, "", ""]).encode())
            ping = b"\x89\xfd\0\0\0\0" + b"p" * 125
            with pytest.raises(ConnectionError):
                connection.sendall(ping * 1_000_000)
        assert httpx.get(f"{served.gateway.url}/health/ready").is_success
    assert not [line for line in read_log(tmp_path) if line["level"] != "info"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
odd_messages = st.fixed_dictionaries(
    {"type": st.sampled_from(["connection_init", "subscribe", "complete", "ping", "pong", "next", ""]) | json_values},
    optional={
        "id": st.sampled_from(["1", "2", ""]) | json_values,
        "payload": json_values
        | st.fixed_dictionaries(
            {"query": st.sampled_from([QUERY, ADDED, "{", ""]) | json_values},
            optional={"variables": json_values, "operationName": json_values, "extensions": json_values},
        ),
    },
).map(json.dumps)


def frame(data: bytes, opcode: int, *, is_final: bool) -> bytes:
    length = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack("!H", len(data))
    return bytes([opcode | (0x80 if is_final else 0)]) + length + b"\0\0\0\0" + data


frames = st.builds(
    frame, st.binary(max_size=30) | odd_messages.map(str.encode), st.integers(0, 15), is_final=st.booleans()
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.booleans(),
    st.lists(st.one_of(odd_messages.map(lambda text: frame(text.encode(), 1, is_final=True)), frames), max_size=12),
)
def test_whatever_is_sent_the_gateway_lives(served: ServedDatabase, begins: bool, sent: list[bytes]) -> None:  # noqa: FBT001 - drawn
    """Whatever messages and frames arrive, the socket closes when its client closes, and the gateway stays live."""
    address = urlsplit(served.gateway.url)
    with socket.create_connection((address.hostname, address.port), 30) as connection:
        lines = [f"{name}: {value}" for name, value in HANDSHAKE.items()]
        connection.sendall("\r\n".join(["GET /graphql HTTP/1.1", *lines, "", ""]).encode())
        assert connection.recv(10_000).startswith(b"HTTP/1.1 101")
        init = [frame(b'{"type":"connection_init"}', 1, is_final=True)] if begins else []
        try:
            connection.sendall(b"".join([*init, *sent]) + frame(b"\x03\xe8", 8, is_final=True))
            while connection.recv(10_000):
                pass
        except ConnectionError:
            pass
    assert httpx.get(f"{served.gateway.url}/health/live").is_success


def test_nothing_of_it_was_a_failure(served: ServedDatabase) -> None:
    """After the tests above no subscriber is left in the feed, and no error was logged."""
    wait_until(lambda: read_metric(served.gateway.url, "gateway_live_subscribers") == 0)
    faults = [line for line in read_log(served.gateway.folder) if line["level"] == "error"]
    assert not faults, faults
