"""A replica set that changes its primary under load, and lists whose server disappears while they are read."""

import json
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.failover import build_documents, fill, kill, measure_failover, step_down
from database.client import open_client
from database.cursor import Position
from database.index import COLLECTION
from database.provision import provision
from database.query import Order, Page, TransactionFilter, build_find_plan, build_rest_plan
from database.repository import TransactionRepository
from schema.context import read_clock_ms
from tests.process import run_gateway
from tests.reference import DAY_MS, Question, select
from tests.replica import ReplicaSet, run_replica_set
from tests.waiting import find_free_port


def test_answers_are_right_whatever_the_primary_does(tmp_path: Path) -> None:
    """While one primary steps down and the next is killed, each 200 is right and complete, all else a clean 503."""
    report = measure_failover(tmp_path, 6, [step_down, kill], election_ms=1_000)
    assert set(report.count_kinds()) <= {"right", "unavailable"}
    assert report.count_kinds()["right"] > 0
    assert report.find_strays() == []


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplicaSet]:
    with run_replica_set(tmp_path_factory.mktemp("replicas")) as running:
        yield running


def test_a_list_outlives_its_server(replicas: ReplicaSet, tmp_path: Path) -> None:
    """A list whose primary is killed while it is read continues on the next one, and holds each row once, in order."""
    documents = build_documents(12_000, until=read_clock_ms() - DAY_MS, address="1 Main Street\n" * 100)
    fill(replicas, documents)
    with (
        run_gateway(replicas.admin, find_free_port(), tmp_path) as gateway,
        httpx.stream("GET", f"{gateway.url}/transactions/90", timeout=60) as answer,
    ):
        parts = answer.iter_bytes(100_000)
        body = next(parts)
        primary = replicas.await_primary()
        primary.kill()
        body += b"".join(parts)
    primary.start()
    assert json.loads(body) == select(documents, Question(), now_ms=0)


# Few dates, so that lists are interrupted between rows that share one; ids of several types, some differing only in
# case.
dates = st.integers(0, 3)
ids = st.integers(0, 99) | st.sampled_from(["a", "A", "b", "B", "c"]) | st.binary(min_size=1, max_size=1)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(ids, dates), min_size=1, max_size=30, unique_by=lambda row: repr(row[0])),
    lost_after=st.sets(st.integers(1, 20), max_size=5),
    batch_rows=st.integers(2, 5),
    country=st.none() | st.just("US"),
    order=st.sampled_from([Order.DATE_DESC, Order.DATE_ASC]),
)
async def test_no_row_is_lost_or_doubled(
    replicas: ReplicaSet,
    monkeypatch: pytest.MonkeyPatch,
    rows: list[tuple[Any, int]],
    lost_after: set[int],
    batch_rows: int,
    country: str | None,
    order: Order,
) -> None:
    """A list that loses its server up to five times, at any row, returns the rows of an undisturbed one."""
    monkeypatch.setattr("database.repository.BATCH_ROWS", batch_rows)
    replicas.await_primary()
    database = replicas.client["property"]
    database[COLLECTION].delete_many({})
    database[COLLECTION].insert_many([{"_id": row_id, "date": date, "countryOrigin": "US"} for row_id, date in rows])
    plan = build_find_plan(TransactionFilter(since=0, country=country), order)
    async with open_client(replicas.admin) as client:
        repository = TransactionRepository(client, "property", timeout_ms=10_000)
        undisturbed = [row async for batch in repository.open_batches(plan) for row in batch]
        found: list[dict[str, Any]] = []
        async with aclosing(repository.open_batches(plan)) as batches:
            async for batch in batches:
                found += batch
                # Code 6 is HostUnreachable. Unlike a closed connection it does not make the driver wait.
                replicas.client.admin.command(
                    "configureFailPoint",
                    "failCommand",
                    mode={"times": 1} if len(found) in lost_after else "off",
                    data={"failCommands": ["getMore"], "errorCode": 6, "appName": "transactions-gateway"},
                )
    assert found == undisturbed
    assert len(found) == len(rows)


@pytest.mark.parametrize("country", [None, "US"])
@pytest.mark.parametrize("after", [None, Position(9_000, "a")])
@pytest.mark.parametrize("order", [Order.DATE_DESC, Order.DATE_ASC])
def test_what_is_left_is_read_from_an_index(
    replicas: ReplicaSet, country: str | None, after: Position | None, order: Order
) -> None:
    """A list that is continued neither scans the collection nor sorts what it reads."""
    provision(replicas.admin)
    wanted = TransactionFilter(since=0, until=10_000, country=country)
    plan = build_rest_plan(build_find_plan(wanted, order, Page(after=after)), 5_000)
    command = {"find": COLLECTION, "filter": plan.filter, "sort": dict(plan.sort)}
    collation = {"collation": plan.collation} if plan.collation else {}
    explained = replicas.client[replicas.admin.database].command("explain", {**command, **collation})
    stages = json.dumps(explained["queryPlanner"]["winningPlan"], default=str)
    assert '"IXSCAN"' in stages
    assert '"COLLSCAN"' not in stages
    assert '"SORT"' not in stages
