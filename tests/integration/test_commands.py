"""The cost of each query: its commands match golden files, use an index, and do not grow with the data.

`UPDATE_GOLDEN=1 make test ARGS=tests/integration/test_commands.py` rewrites tests/integration/golden; never in CI.
"""

import json
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from bson import json_util
from pymongo import AsyncMongoClient, MongoClient

from database.client import open_sync_client
from database.embedded import EmbeddedServer
from database.environment import DatabaseEnvironment
from database.index import COLLECTION
from database.repository import BATCH_ROWS, FIRST_ROWS, TransactionRepository
from gateway.app import create_app
from gateway.settings import load_settings
from tests.recorder import CommandRecorder
from tests.reference import DAY_MS, Document

GOLDEN = Path(__file__).parent / "golden"
NOW_MS = 1_795_000_000_000
NODES = "nodes { id date amount }"


@dataclass(frozen=True)
class Case:
    """A query as a request: a REST path or a GraphQL document."""

    name: str
    request: str


CASES = [
    Case("rest_list", "/transactions/90"),
    Case("rest_count_by_card", "/transactions/90/card/visa"),
    Case("rest_list_by_country", "/transactions/90/country/usa"),
    Case("rest_list_by_amount", "/transactions/90/amount/100/999.00"),
    Case("rest_page", "/transactions/90?limit=3"),
    Case(
        "rest_summary",
        "/transactions/90/summary?groupBy=week,cardType&timeZone=Europe/Berlin&country=us&percentiles=95&into=USD",
    ),
    Case("rest_combined", "/transactions/90?card=visa&country=us&minAmount=1&maxAmount=999&limit=3"),
    Case("graphql_all", f"{{ transactions {{ {NODES} }} }}"),
    Case("graphql_list", f"{{ transactions(filter: {{days: 90}}) {{ {NODES} }} }}"),
    Case("graphql_count", '{ transactions(filter: {days: 90, cardType: "Visa"}) { totalCount } }'),
    Case("graphql_count_all", "{ transactions { totalCount } }"),
    Case("graphql_country", f'{{ transactions(filter: {{days: 90, country: "US"}}) {{ {NODES} }} }}'),
    Case("graphql_card", f'{{ transactions(filter: {{days: 90, cardType: "Visa"}}) {{ {NODES} }} }}'),
    Case(
        "graphql_amount",
        f'{{ transactions(filter: {{days: 90, minAmount: "100.00", maxAmount: "999.00"}}) {{ {NODES} }} }}',
    ),
    Case("graphql_oldest", f"{{ transactions(filter: {{days: 90}}, orderBy: DATE_ASC) {{ {NODES} }} }}"),
    Case("graphql_largest", f"{{ transactions(filter: {{days: 90}}, orderBy: AMOUNT_DESC) {{ {NODES} }} }}"),
    Case("graphql_smallest", f"{{ transactions(orderBy: AMOUNT_ASC) {{ {NODES} }} }}"),
    Case(
        "graphql_largest_of_country",
        f'{{ transactions(filter: {{days: 90, country: "US"}}, orderBy: AMOUNT_DESC) {{ {NODES} }} }}',
    ),
    Case(
        "graphql_smallest_of_card",
        f'{{ transactions(filter: {{days: 90, cardType: "Visa"}}, orderBy: AMOUNT_ASC, first: 3) {{ {NODES} }} }}',
    ),
    Case("graphql_last", f"{{ transactions(filter: {{days: 90}}, last: 3) {{ {NODES} }} }}"),
    Case("graphql_edges", "{ transactions(filter: {days: 90}, first: 3) { edges { cursor node { vendor } } } }"),
    Case(
        "graphql_page_and_total",
        f"{{ transactions(filter: {{days: 90}}, first: 3) {{ totalCount {NODES} pageInfo {{ hasNextPage }} }} }}",
    ),
    Case(
        "graphql_summary",
        "{ transactionSummary(filter: {days: 90}, groupBy: [COUNTRY], top: 1) "
        "{ groups { country count amounts { currency sum } } omitted } }",
    ),
    Case("graphql_by_id", '{ transaction(id: "00000000-0000-4000-8000-000000000001") { vendor } }'),
    Case(
        "graphql_entities",
        '{ _entities(representations: [{__typename: "Transaction", id: "00000000-0000-4000-8000-000000000001"}, '
        '{__typename: "Transaction", id: "00000000-0000-4000-8000-000000000000"}]) { ... on Transaction { vendor } } }',
    ),
]


def build_documents(count: int) -> list[Document]:
    """Return fixed documents, eight a day, the newest at NOW_MS."""
    return [
        {
            "_id": f"00000000-0000-4000-8000-{i:012}",
            "date": NOW_MS - i * DAY_MS // 8,
            "currency": "USD",
            "amount": float(i % 1500),
            "vendor": f"Vendor {i}",
            "address": f"{i} Main Street\nSpringfield",
            "cardType": ["Visa", "Mastercard", "Amex"][i % 3],
            "cardNumber": "4111111111111111",
            "countryOrigin": ["US", "GB"][i % 2],
        }
        for i in range(count)
    ]


@dataclass(frozen=True)
class Asker:
    """Sends requests to the application in this process, so that its commands can be recorded."""

    http: httpx.AsyncClient
    recorder: CommandRecorder

    async def ask(self, request: str) -> Any:
        self.recorder.commands.clear()
        if request.startswith("{"):
            response = await self.http.post("/graphql", json={"query": request})
        else:
            response = await self.http.get(request)
        assert response.is_success, response.text
        return response.json()


@pytest.fixture
async def asker(reader_environment: DatabaseEnvironment, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Asker]:
    monkeypatch.setattr("gateway.request.read_clock_ms", lambda: NOW_MS)
    recorder = CommandRecorder()
    app = create_app(load_settings({}), reader_environment)
    async with AsyncMongoClient[dict[str, Any]](
        reader_environment.connection_uri, event_listeners=[recorder]
    ) as client:
        app.state.repository = TransactionRepository(client, reader_environment.database, timeout_ms=10_000)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
            yield Asker(http, recorder)


@pytest.fixture
def owner(environment: DatabaseEnvironment) -> Iterator[MongoClient[dict[str, Any]]]:
    with open_sync_client(environment) as client:
        yield client


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_each_question_sends_the_commands_that_are_written_down(
    case: Case, asker: Asker, owner: MongoClient[dict[str, Any]], environment: DatabaseEnvironment
) -> None:
    """A query sends its golden commands and returns its golden response."""
    owner[environment.database][COLLECTION].insert_many(build_documents(20))
    answer = await asker.ask(case.request)
    # A page and its total are queried concurrently, so the order of the commands does not matter.
    sent = sorted(asker.recorder.commands, key=lambda command: next(iter(command)))
    commands = json.loads(json_util.dumps(sent, json_options=json_util.RELAXED_JSON_OPTIONS))
    seen = {"request": case.request, "commands": commands, "answer": answer}
    path = GOLDEN / f"{case.name}.json"
    if os.environ.get("UPDATE_GOLDEN") and not os.environ.get("CI"):
        path.write_text(json.dumps(seen, indent=2) + "\n")
    agreed = json.loads(path.read_text()) if path.exists() else None
    assert seen == agreed, "UPDATE_GOLDEN=1 writes it anew; review what has changed"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_every_question_reads_an_index(
    case: Case,
    asker: Asker,
    owner: MongoClient[dict[str, Any]],
    environment: DatabaseEnvironment,
    mongod: EmbeddedServer,
) -> None:
    """No command scans the collection, and no command sorts in memory unless it orders by amount."""
    owner[environment.database][COLLECTION].insert_many(build_documents(2_000))
    await asker.ask(case.request)
    assert asker.recorder.commands
    with open_sync_client(mongod.admin) as admin:
        for command in asker.recorder.commands:
            if "getMore" in command:
                continue
            timeless = {key: value for key, value in command.items() if key != "maxTimeMS"}
            plan = admin[environment.database].command("explain", timeless, verbosity="queryPlanner")
            stages = set(find_stages(plan))
            assert stages & {"IXSCAN", "COUNT_SCAN", "IDHACK"}
            assert "COLLSCAN" not in stages
            # By amount within a window, MongoDB may rightly use the index on date and sort the matches.
            assert "SORT" not in stages or "amount" in command["sort"]


def find_stages(plan: Any) -> Iterator[str]:
    """Yield the stages of a winning plan, wherever explain puts them."""
    if isinstance(plan, dict):
        if isinstance(plan.get("stage"), str):
            yield plan["stage"]
        for key, value in plan.items():
            if key != "rejectedPlans":
                yield from find_stages(value)
    elif isinstance(plan, list):
        for value in plan:
            yield from find_stages(value)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_the_number_of_commands_does_not_grow_with_the_data(
    case: Case, asker: Asker, owner: MongoClient[dict[str, Any]], environment: DatabaseEnvironment
) -> None:
    """With a hundred times the data a query sends the same commands; only an unlimited list fetches more batches."""
    collection = owner[environment.database][COLLECTION]
    few, many = build_documents(50), build_documents(5_000)
    collection.insert_many(few)
    await asker.ask(case.request)
    before = asker.recorder.names
    collection.insert_many(many[len(few) :])
    answer = await asker.ask(case.request)
    more = ["getMore"] * ((len(answer) - FIRST_ROWS) // BATCH_ROWS + 1) if isinstance(answer, list) else []
    assert sorted(asker.recorder.names) == sorted(before + more)


@pytest.mark.parametrize(
    ("limit", "sizes"),
    [
        # The driver requests one row more when a single batch is to hold everything.
        (BATCH_ROWS - 1, [BATCH_ROWS + 1]),
        (BATCH_ROWS, [501, 501]),
        (5_000, [834, 834, 834, 834, 834, 834]),
    ],
)
async def test_a_large_page_comes_in_even_batches(
    limit: int,
    sizes: list[int],
    asker: Asker,
    owner: MongoClient[dict[str, Any]],
    environment: DatabaseEnvironment,
) -> None:
    """A page that exceeds one batch comes in even batches, without a further one for the extra row."""
    owner[environment.database][COLLECTION].insert_many(build_documents(5_002))
    rows = await asker.ask(f"/transactions/1000?limit={limit}")
    assert len(rows) == limit
    assert [command["batchSize"] for command in asker.recorder.commands] == sizes


async def test_a_large_summary_comes_in_small_batches(
    asker: Asker, owner: MongoClient[dict[str, Any]], environment: DatabaseEnvironment
) -> None:
    """A reply of a summary holds at most a hundred groups, because a reply is decoded without yielding."""
    owner[environment.database][COLLECTION].insert_many(build_documents(350))
    summary = await asker.ask("/transactions/1000/summary?groupBy=vendor&percentiles=50")
    assert len(summary["groups"]) == 350
    first, *others = asker.recorder.commands
    assert first["cursor"] == {"batchSize": 100}
    assert [command["batchSize"] for command in others] == [100, 100, 100]
