"""Check the gateway's summaries against plain Python, to the last digit, and time them beside mongod's own.

`python -m benchmarks summary [DOCUMENTS]`. It starts its own mongod and gateway and leaves nothing behind; the exit
code is 1 if any number differs.
"""

import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, localcontext
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click
import httpx
from pymongo.collection import Collection

from benchmarks.argument import parse_numbers
from benchmarks.process import open_server
from database.client import open_sync_client
from database.environment import DatabaseEnvironment
from database.index import COLLECTION
from database.provision import provision
from seeding.seeder import seed
from tests.process import run_gateway
from tests.waiting import find_free_port

T = TypeVar("T")

_DOCUMENTS = 100_000
# Covers all seeded documents, which are dated within the last 52 weeks.
_DAYS = 366
_ZONE = "America/New_York"
_TIMEOUT_SECONDS = 600
_QUARTILES = ("25", "50", "75")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GRAPHQL = """query ($keys: [SummaryKey!], $zone: String, $percentiles: [Decimal!]) {
  transactionSummary(filter: {days: 366}, groupBy: $keys, timeZone: $zone, percentiles: $percentiles) {
    groups { day cardType amounts { currency count sum average min max percentiles { percentile value } } }
  }
}"""
# The least that mongod must do: the same sums, without reporting documents that hold no number, without percentiles.
_RAW_GROUP = {"count": {"$sum": 1}, "min": {"$min": "$amount"}, "max": {"$max": "$amount"}}
_RAW_GROUP["sum"] = {"$sum": {"$toDecimal": "$amount"}}
_RAW_DAY = {"$dateToString": {"date": {"$toDate": "$date"}, "format": "%Y-%m-%d", "timezone": _ZONE}}


@dataclass(frozen=True, slots=True)
class Case:
    """One summary: its keys by REST's names, its percentiles, and the keys that mongod alone groups by."""

    name: str
    keys: tuple[str, ...] = ()
    percentiles: tuple[str, ...] = ()
    raw: dict[str, Any] = field(default_factory=dict)


_CASES = (
    Case("one total"),
    Case("by card type", ("cardType",), raw={"cardType": "$cardType"}),
    Case(f"by day of {_ZONE}", ("day",), raw={"day": _RAW_DAY}),
    Case("one total, with quartiles", (), _QUARTILES),
)


def main(arguments: list[str]) -> None:
    """Print the times of each summary, and the number of groups that differ from the reference."""
    [count] = parse_numbers("summary", arguments, DOCUMENTS=_DOCUMENTS)
    with tempfile.TemporaryDirectory() as folder, open_server(Path(folder)) as server:
        environment = replace(server.admin, database="benchmark")
        provision(environment)
        seed(environment, count, seed=1)
        with _serve(environment, Path(folder)) as (client, collection):
            click.echo(f"{count:,} documents in {len(collection.distinct('currency'))} currencies, {server.version}")
            click.echo(f"{'':28}{'mongod':>10}{'REST':>10}{'GraphQL':>10}   differences")
            differences = [_run(case, client, collection) for case in _CASES]
    if any(differences):
        sys.exit(f"{sum(differences)} numbers differ from the reference.")
    click.echo("Every count, sum, average, minimum, maximum and percentile is the reference's, to the last digit.")


@contextmanager
def _serve(environment: DatabaseEnvironment, folder: Path) -> Iterator[tuple[httpx.Client, Collection[dict[str, Any]]]]:
    variables = dict.fromkeys(
        ("GATEWAY_DATABASE_TIMEOUT_MS", "GATEWAY_REQUEST_TIMEOUT_MS"), str(_TIMEOUT_SECONDS * 1000)
    )
    with (
        run_gateway(environment, find_free_port(), folder, GATEWAY_LOG_LEVEL="error", **variables) as gateway,
        open_sync_client(environment) as database,
        httpx.Client(base_url=gateway.url, timeout=_TIMEOUT_SECONDS) as client,
    ):
        yield client, database[environment.database][COLLECTION]


def _run(case: Case, client: httpx.Client, collection: Collection[dict[str, Any]]) -> int:
    """Print one summary's times; return how many groups differ from the reference."""
    expected = _sum_up(case, collection)
    parameters = {"groupBy": ",".join(case.keys), "percentiles": ",".join(case.percentiles), "timeZone": _ZONE}
    given = {name: value for name, value in parameters.items() if value}
    raw, _ = _time(lambda: list(collection.aggregate(_build_raw(case))))
    rest, by_rest = _time(lambda: client.get(f"/transactions/{_DAYS}/summary", params=given).raise_for_status().json())
    keys = ["CARD_TYPE" if key == "cardType" else key.upper() for key in case.keys]
    variables = {"keys": keys, "zone": _ZONE, "percentiles": list(case.percentiles)}
    graphql, by_graphql = _time(
        lambda: client.post("/graphql", json={"query": _GRAPHQL, "variables": variables}).raise_for_status().json()
    )
    answers = [by_rest["groups"], by_graphql["data"]["transactionSummary"]["groups"]]
    differences = sum(_count_differences(expected, _flatten(case, answer)) for answer in answers)
    click.echo(f"{case.name:28}{raw:9.2f}s{rest:9.2f}s{graphql:9.2f}s   {differences} of {len(expected)}")
    return differences


def _time(ask: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    answer = ask()
    return time.perf_counter() - began, answer


def _build_raw(case: Case) -> list[dict[str, Any]]:
    return [{"$match": {"date": {"$gte": 0}}}, {"$group": {"_id": {**case.raw, "currency": "$currency"}, **_RAW_GROUP}}]


def _sum_up(case: Case, collection: Collection[dict[str, Any]]) -> dict[tuple[str, ...], list[str | int]]:
    """Compute the reference: every amount is read as a Decimal, one by one."""
    amounts = defaultdict[tuple[str, ...], list[Decimal]](list)
    zone = ZoneInfo(_ZONE)
    for document in collection.find({}, {"_id": 0, "date": 1, "amount": 1, "currency": 1, "cardType": 1}):
        day = (_EPOCH + timedelta(milliseconds=document["date"])).astimezone(zone).date().isoformat()
        keys = tuple(day if key == "day" else document[key] for key in case.keys)
        amounts[*keys, document["currency"]].append(Decimal(repr(document["amount"])))
    return {group: _describe(sorted(each), case.percentiles) for group, each in amounts.items()}


def _describe(amounts: list[Decimal], percentiles: tuple[str, ...]) -> list[str | int]:
    with localcontext(Context(prec=100)):
        total = sum(amounts)
    average = Context(prec=34).divide(Decimal(total), len(amounts))
    ranks = [-(-int(percentile) * len(amounts) // 100) for percentile in percentiles]
    return [
        len(amounts),
        *map(_write, (total, average, amounts[0], amounts[-1], *(amounts[rank - 1] for rank in ranks))),
    ]


def _write(amount: Decimal | int) -> str:
    whole, _, decimals = format(Decimal(amount), "f").partition(".")
    return f"{whole}.{decimals.rstrip('0'):0<2}"


def _flatten(case: Case, groups: list[dict[str, Any]]) -> dict[tuple[str, ...], list[str | int]]:
    """Return an answer in the form of the reference, in which a day is its date."""
    return {
        (*(group[key][:10] if key == "day" else group[key] for key in case.keys), amounts["currency"]): [
            *(amounts[name] for name in ("count", "sum", "average", "min", "max")),
            *(percentile["value"] for percentile in amounts["percentiles"]),
        ]
        for group in groups
        for amounts in group["amounts"]
    }


def _count_differences(
    expected: dict[tuple[str, ...], list[str | int]], found: dict[tuple[str, ...], list[str | int]]
) -> int:
    return sum(expected.get(group) != found.get(group) for group in expected.keys() | found.keys())
