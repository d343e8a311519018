"""A known card number, planted in a database and in everything that can be sent, is searched for in all output.

The promise covers `cardNumber`: `vendor` and `address` are free text, served as stored, and a caller's own words in a
GraphQL alias, in the filters of a Link header or in a trace id are repeated as sent. Otherwise logs, metrics, spans and
errors never hold the number, wherever it was planted.
"""

import base64
import json
import math
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from bson.decimal128 import Decimal128
from bson.objectid import ObjectId

from database.client import open_sync_client
from database.embedded import open_embedded_server
from database.environment import Credentials, DatabaseEnvironment
from database.index import COLLECTION
from database.provision import provision
from database.query import Order
from gateway.caller import Scope
from gateway.keys import create_key
from gateway.problems import PROBLEMS
from tests.process import read_log, run_gateway
from tests.reference import NODE
from tests.waiting import find_free_port, wait_until

NUMBER = "4929173856205713"
SPACED = "4929 1738 5620 5713"
DASHED = "4929-1738-5620-5713"
WRITTEN = (NUMBER, SPACED, DASHED, NUMBER + ".0", "4.929173856205713e15")
# Numbers that vary from run to run and may contain some of the planted digits by chance.
_NOISE = re.compile(r"[0-9a-f]{32}|\d{4}-\d\d-\d\dT[\d:.]+|127\.0\.0\.1:\d+|\d+\.\d+")
_SEPARATORS = re.compile(r"(?<=\d)[\s._-]{1,2}(?=\d)")
_BASE64 = re.compile(r"[A-Za-z0-9_-]{24,}")
# Fixed, so that the dates in the responses have the same digits in each run.
_DATE = int(datetime(2023, 5, 5, tzinfo=UTC).timestamp() * 1000)
_LONG_AGO = int(datetime(2013, 5, 5, tzinfo=UTC).timestamp() * 1000)
DAYS = (datetime.now(UTC) - datetime(2020, 1, 1, tzinfo=UTC)).days
ROWS = f"/transactions/{DAYS}"


@dataclass
class Heard:
    """What a gateway sent: each response with its request, and the spans as bytes."""

    client: httpx.Client
    keys: dict[str, str]
    answers: list[tuple[str, httpx.Response]] = field(default_factory=list)
    spans: bytearray = field(default_factory=bytearray)

    def ask(self, path: str, key: str | None = "reader", method: str = "GET", **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.keys[key]}"} if key else {}
        headers |= options.pop("headers", {})
        answer = self.client.request(method, path, headers=headers, **options)
        self.answers.append((f"{method} {path} {options} {headers.keys()}", answer))
        return answer

    def query(self, text: str, key: str = "reader", **parameters: object) -> httpx.Response:
        return self.ask("/graphql", key, "POST", json={"query": text, **parameters})


def find_number(text: str) -> str | None:
    """Return the first run of planted digits in a text that is longer than what the mask shows, or None."""
    if long := _find_run(text, 8):
        return long
    plain = _NOISE.sub(" ", text)
    return _find_run(plain, 5) or _find_run(_SEPARATORS.sub("", plain), 5)


def _find_run(text: str, length: int) -> str | None:
    runs = (NUMBER[start : start + length] for start in range(len(NUMBER) - length + 1))
    return next((run for run in runs if run in text), None)


def read_answer(answer: httpx.Response) -> str:
    """Return the headers and the body as text, followed by everything in them that decodes as base64."""
    text = f"{answer.headers.multi_items()}\n{answer.text}"
    return "\n".join([text, *map(_decode, _BASE64.findall(text))])


def _decode(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("latin-1")
    except ValueError:
        return ""


def build_documents() -> list[dict[str, Any]]:
    """Return documents that hold the number in every form that occurs, and malformed ones."""
    base = {
        "date": _DATE,
        "currency": "USD",
        "amount": 12.5,
        "vendor": "Vendor",
        "address": "1 Main Street\nSpringfield",
        "cardType": "Visa",
        "cardNumber": NUMBER,
        "countryOrigin": "US",
    }
    forms: list[object] = [NUMBER, SPACED, DASHED, int(NUMBER), float(NUMBER), Decimal128(NUMBER), NUMBER.encode()]
    forms += [[NUMBER], {"number": NUMBER}, f"{NUMBER}\n", None, math.nan]
    documents = [{**base, "_id": f"form {index}", "cardNumber": form} for index, form in enumerate(forms)]
    malformed: list[dict[str, object]] = [
        {"currency": None, "countryOrigin": "FR"},
        {"date": "yesterday"},
        {"amount": math.nan, "countryOrigin": "DE"},
        {"_id": ObjectId("0123456789abcdefabcdefab")},
        {"cvv": NUMBER, "pan": NUMBER},
    ]
    documents += [{**base, "_id": f"malformed {index}", **changes} for index, changes in enumerate(malformed)]
    # Beyond the promise: fields other than cardNumber.
    documents += [
        {**base, "_id": "free text", "date": _LONG_AGO, "vendor": f"Paid by {NUMBER}", "address": SPACED},
        {**base, "_id": NUMBER, "date": _LONG_AGO, "cardType": NUMBER, "currency": None},
    ]
    # Enough that a command counts as slow here.
    documents += [{**base, "_id": f"plain {index}", "date": _DATE - index} for index in range(1_500)]
    return [{key: value for key, value in document.items() if value is not None} for document in documents]


@contextmanager
def run_collector(spans: bytearray) -> Iterator[str]:
    """Receive spans as OpenTelemetry sends them, and yield the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            spans.extend(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Suppress the access log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def ask_for_rows(heard: Heard, key: str) -> None:
    """Send each kind of request that returns transactions."""
    paths = [ROWS, f"{ROWS}/country/us", f"{ROWS}/amount/0/100", f"{ROWS}?limit=3", f"{ROWS}?card=visa&country=USA"]
    for path in paths:
        for media_type in ("application/json", "application/x-ndjson", "text/csv"):
            heard.ask(path, key, headers={"Accept": media_type}).raise_for_status()
    heard.ask(f"{ROWS}/card/Visa", key).raise_for_status()
    following = heard.ask(f"{ROWS}?limit=3", key).links["next"]["url"].removeprefix(str(heard.client.base_url))
    heard.ask(following, key).raise_for_status()
    for order in Order:
        heard.query(
            f'{{ transactions(filter: {{days: {DAYS}, country: "US"}}, orderBy: {order.name}, first: 20) '
            f"{{ nodes {{ {NODE} }} edges {{ cursor node {{ n: cardNumber }} }} totalCount "
            "pageInfo { startCursor endCursor } } }",
            key,
        )
    heard.query(f'{{ transaction(id: "form 1") {{ {NODE} }} }}', key)
    document = f"query Q($id: ID!) {{ transaction(id: $id) {{ ...f }} }} fragment f on Transaction {{ {NODE} }}"
    for index in range(12):
        heard.query(document, key, variables={"id": f"form {index}"}, operationName="Q")
    heard.ask("/graphql", key, params={"query": document, "variables": '{"id": "form 0"}'}).raise_for_status()


def listen(heard: Heard, key: str, owner: DatabaseEnvironment) -> None:
    """Receive transactions as they are added, and again as a replay."""
    documents = [document for document in build_documents()[:12] if document["date"] == _DATE]
    for document in documents:
        document["_id"] = f"{key} {document['_id']}"
    after, authorization = "", {"Authorization": f"Bearer {heard.keys[key]}"}
    for after_first in (False, True):
        params = {"days": str(DAYS), "lastEventId": after if after_first else ""}
        with heard.client.stream("GET", "/transactions/live", params=params, headers=authorization) as answer:
            lines = answer.iter_lines()
            if not after_first:
                after = next(line for line in lines if line.startswith("id: ")).removeprefix("id: ")
                with open_sync_client(owner) as client:
                    client[owner.database][COLLECTION].insert_many(documents)
            data = [line for _ in documents for line in [next(line for line in lines if line.startswith("data: "))]]
            whole = httpx.Response(answer.status_code, headers=answer.headers, text="\n".join(data))
            heard.answers.append((f"live, {params}", whole))


def ask_for_faults(heard: Heard, key: str, written: str) -> None:
    """Put the number wherever a caller can, and request the documents that cannot be served."""
    ask_wrong_paths(heard, key, written)
    ask_wrong_headers(heard, key, written)
    ask_wrong_operations(heard, key, written)
    heard.query('{ transactions(filter: {country: "FR"}) { nodes { currency } } }', key)
    heard.query('{ transactions(filter: {country: "DE"}, orderBy: AMOUNT_ASC) { edges { cursor } } }', key)
    heard.query(f'{{ transaction(id: "{NUMBER}") {{ currency }} }}', key)
    heard.query('{ transaction(id: "malformed 1") { date } }', key)


def ask_wrong_paths(heard: Heard, key: str, written: str) -> None:
    for path in (
        f"/{written}",
        f"/transactions/{written}",
        f"{ROWS}/country/{written}",
        f"{ROWS}/card/{written}",
        f"{ROWS}/card/{written}/",
        f"{ROWS}/amount/{written}/1",
        f"{ROWS}/amount/1/{written}x",
        f"/transactions/live?lastEventId={written}",
        f"/transactions/live?country={written}",
        f"/errors/{written}",
        f"/health/{written}",
        f"/static/{written}",
    ):
        heard.ask(path, key)
        heard.ask(path, key, "DELETE")
    for name in ("card", "country", "minAmount", "maxAmount", "limit", "after", written):
        heard.ask(ROWS, key, params={name: written})
        heard.ask(ROWS, key, params={name: "x" + written + "x"})
    # So long that the number is cut at the end of what is kept of a query.
    for length in range(960, 1_000, 5):
        heard.ask(
            f"{ROWS}?" + "&".join(f"p{i}={'y' * 90}" for i in range(9)) + f"&{'z' * (length - 855)}={written}", key
        )
        heard.ask(f"{ROWS}/card/{'z' * (length - 600)}{written}", key)


def ask_wrong_headers(heard: Heard, key: str, written: str) -> None:
    for name in ("Accept", "Content-Type", "traceparent", "tracestate", "User-Agent", "Cookie", "Origin", "Referer"):
        heard.ask("/graphql", key, "POST", headers={name: written}, content=b"{}")
        heard.ask(ROWS, key, headers={name: written}, params={"limit": 1})
    for name in ("Authorization", "X-API-Key", "X-Request-Id", "X-Forwarded-For"):
        heard.ask(ROWS, None, headers={name: written})
    heard.ask(ROWS, None, headers={"Authorization": f"Bearer {written}"})
    heard.ask(ROWS, None, headers={"X-API-Key": f"txgw_00000000_{NUMBER * 4}"})


def ask_wrong_operations(heard: Heard, key: str, written: str) -> None:
    for body in (
        written,
        f'{{"query": {written}',
        f'{{"{written}": 1}}',
        f'["{written}"]',
        f'{{"documentId": "{written}"}}',
    ):
        heard.ask("/graphql", key, "POST", content=body, headers={"Content-Type": "application/json"})
    hashed = {"persistedQuery": {"version": 1, "sha256Hash": written}}
    heard.ask("/graphql", key, "POST", json={"extensions": hashed})
    arguments = ("first", "last", "after", "before", "orderBy", "filter", "nothing")
    filters = ("days", "cardType", "country", "minAmount", "maxAmount", "cardNumber")
    for value in (f'"{written}"', written):
        for given in (
            *(f"{name}: {value}" for name in arguments),
            *(f"filter: {{{name}: {value}}}" for name in filters),
        ):
            heard.query(f"{{ transactions({given}) {{ totalCount }} }}", key)
        heard.query(f"{{ transaction(id: {value}) {{ id currency }} }}", key)
    names = NUMBER if written == NUMBER else "x"
    for text in (
        f"query Q{names} {{ transactions {{ totalCount }} }}",
        f"{{ f{names} }}",
        f"{{ ...f{names} }}",
        f"query ($v{names}: Int!) {{ transactions(first: $v{names}) {{ totalCount }} }}",
        f"{{ transactions @d{names} {{ totalCount }} }}",
        f"# {written}\n{{",
    ):
        heard.query(text, key)
        heard.query(text, key, operationName=written)
    document = "query ($v: Int, $f: TransactionFilter, $o: TransactionOrder) "
    document += "{ transactions(first: $v, filter: $f, orderBy: $o) { totalCount } }"
    for variables in ({"v": written}, {"f": {"country": written}}, {"f": {written: 1}}, {"f": written}, {"o": written}):
        heard.query(document, key, variables=variables)


def ask_for_the_rest(heard: Heard) -> None:
    """Request what holds no transactions."""
    for path in ("/health/live", "/health/ready", "/openapi.json", *(f"/errors/{code}" for code in PROBLEMS)):
        heard.ask(path, None)
    heard.ask("/metrics", "measuring").raise_for_status()
    heard.ask("/graphql", None, headers={"Accept": "text/html"})


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Heard, Heard, Path]]:
    """The results of all requests, by callers with and without cards:read, with the database up and down."""
    folder = tmp_path_factory.mktemp("planted")
    environment = DatabaseEnvironment("owner", "owner's password", "127.0.0.1", find_free_port(), "unused")
    spans = bytearray()
    with run_collector(spans) as collector, ExitStack() as database:
        server = database.enter_context(open_embedded_server(environment, folder / "mongod"))
        admin = replace(server.admin, database="planted")
        owner, reader = Credentials("owner", "owner's"), Credentials("reader", "reader's")
        provision(admin, owner=owner, reader=reader)
        with open_sync_client(admin.with_credentials(owner)) as client:
            client[admin.database][COLLECTION].insert_many(build_documents())
        reading = {Scope.TRANSACTIONS_READ}
        kinds = {"reader": reading, "revealing": {*reading, Scope.CARDS_READ}, "measuring": {Scope.METRICS_READ}}
        file = folder / "keys.json"
        keys = {name: create_key(file, name, frozenset(scopes))[1] for name, scopes in kinds.items()}
        variables = {
            "GATEWAY_KEYS_FILE": str(file),
            "GATEWAY_FAILURES_PER_MINUTE": "10000",
            "GATEWAY_LOG_FORMAT": "json",
            "GATEWAY_LOG_LEVEL": "info",
            "GATEWAY_SLOW_QUERY_MS": "1",
            "GATEWAY_TRACING": "on",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector,
        }
        with (
            run_gateway(admin.with_credentials(reader), find_free_port(), folder, **variables) as gateway,
            httpx.Client(base_url=gateway.url, timeout=30) as client,
        ):
            masked, revealing = Heard(client, keys, spans=spans), Heard(client, keys)
            for heard, key in ((masked, "reader"), (revealing, "revealing")):
                ask_for_rows(heard, key)
                listen(heard, key, admin.with_credentials(owner))
                for written in WRITTEN if heard is masked else (NUMBER,):
                    ask_for_faults(heard, key, written)
            ask_for_the_rest(masked)
            database.close()
            for path in (ROWS, f"{ROWS}/card/{NUMBER}", "/health/ready"):
                assert masked.ask(path).status_code == 503
            assert "DATABASE_UNAVAILABLE" in masked.query(f'{{ transaction(id: "{NUMBER}") {{ id }} }}').text
            wait_until(lambda: spans, "the first spans")
        yield masked, revealing, folder


def test_answers_show_no_more_than_the_mask(told: tuple[Heard, Heard, Path]) -> None:
    """In no format, header, cursor or error does a caller without cards:read see more than the last four digits."""
    masked, _, _ = told
    for asked, answer in masked.answers:
        assert find_number(read_answer(answer)) is None, (asked, answer.status_code, answer.text[:500])
    assert {answer.status_code for _, answer in masked.answers} >= {200, 400, 401, 404, 405, 406, 415, 502, 503}
    assert sum("************5713" in answer.text for _, answer in masked.answers) > 20


def test_whole_numbers_are_in_results_alone(told: tuple[Heard, Heard, Path]) -> None:
    """A caller with cards:read sees the number in results, and in no header or error."""
    _, revealing, _ = told
    for asked, answer in revealing.answers:
        head = str(answer.headers.multi_items())
        assert find_number(head) is None, asked
        if answer.is_error or "errors" in json_of(answer):
            assert find_number(answer.text) is None, (asked, answer.text[:500])
    shown = [
        answer.headers["content-type"].partition(";")[0] for _, answer in revealing.answers if NUMBER in answer.text
    ]
    assert {"application/json", "application/x-ndjson", "text/csv", "text/event-stream"} <= set(shown)
    assert len(shown) > 20


def test_logs_metrics_and_spans_do_not_hold_it(told: tuple[Heard, Heard, Path]) -> None:
    """Logs, metrics and spans hold the number in no form, not even where a caller sent it."""
    masked, revealing, folder = told
    lines = read_log(folder)
    for line in lines:
        assert find_number(json.dumps(line)) is None, line
    assert find_number((folder / "gateway.log").read_text()) is None
    answered = [line for line in lines if line["event"] == "answered"]
    # Health probes are not logged.
    assert len(answered) >= len(masked.answers) + len(revealing.answers) - 10
    assert any(line["event"] == "slow query" and line["plan"] for line in lines)
    assert b"/transactions/{days}" in masked.spans
    assert find_number(masked.spans.decode("latin-1")) is None


def json_of(answer: httpx.Response) -> Any:
    return answer.json() if answer.headers["content-type"].partition(";")[0].endswith("/json") else ()


def test_the_search_finds_what_it_looks_for() -> None:
    """Parts of the number are found plain, with separators and in base64; what the mask shows is not."""
    for text in (NUMBER, SPACED, DASHED, f"x{NUMBER[3:9]}y", "2013-05-05T00:00:00.4929173856205713", "4.92917385"):
        assert find_number(text)
    hidden = base64.urlsafe_b64encode(b"a cursor with " + NUMBER.encode()).decode()
    assert find_number(read_answer(httpx.Response(200, text=hidden)))
    assert find_number(f"************{NUMBER[-4:]}") is None
