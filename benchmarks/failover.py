"""Measure what clients see while the primary of their database is killed: right answers, clean 503s and faults.

`python -m benchmarks failover [SECONDS]`. It starts its own three mongods and gateway and leaves nothing behind.
"""

import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from itertools import count
from pathlib import Path
from typing import Any

import click
import httpx
from pymongo import WriteConcern

from benchmarks.argument import parse_numbers
from database.index import COLLECTION
from database.provision import provision
from tests.process import run_gateway
from tests.reference import Document, Question, select
from tests.replica import ReplicaSet, run_replica_set
from tests.waiting import find_free_port, wait_until

CLIENTS = 8
_SECONDS = 60
_DOCUMENTS = 3_000
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and the body of its only right answer."""

    request: httpx.Request
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of one request: `right`, `unavailable` (a clean 503), or a fault; times are monotonic, in s."""

    kind: str
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Election:
    """The time from the end of one primary until the next is found, in s, on the same clock as the answers."""

    cause: str
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Report:
    """All answers since `began`, and the elections in that time."""

    began: float
    answers: Sequence[Answer]
    elections: Sequence[Election]

    @property
    def seconds(self) -> float:
        """The time until the last answer: elections come on top of the requested duration."""
        return max(answer.ended for answer in self.answers) - self.began

    def count_kinds(self) -> Counter[str]:
        """Return the number of answers of each kind."""
        return Counter(answer.kind for answer in self.answers)

    def find_strays(self) -> list[Answer]:
        """Return the answers that are not right although no election overlapped their request."""
        return [
            answer
            for answer in self.answers
            if answer.kind != "right" and not any(_overlap(answer, election) for election in self.elections)
        ]


Fault = Callable[[ReplicaSet], None]


def kill(replicas: ReplicaSet) -> None:
    """Kill the primary as `kill -9` does; it is restarted once another has been elected."""
    replicas.await_primary().kill()


def step_down(replicas: ReplicaSet) -> None:
    """Make the primary step down."""
    replicas.step_down()


def main(arguments: list[str]) -> None:
    """Print what 8 clients got while the primary was killed twice, with MongoDB's default election timeout."""
    [seconds] = parse_numbers("failover", arguments, SECONDS=_SECONDS)
    with tempfile.TemporaryDirectory() as folder:
        report = measure_failover(Path(folder), seconds, [kill, kill], election_ms=10_000)
    click.echo(f"{CLIENTS} clients for {report.seconds:.0f} s, the primary killed -9 {len(report.elections)} times")
    for election in report.elections:
        inside = Counter(answer.kind for answer in report.answers if _overlap(answer, election))
        began = election.began - report.began
        click.echo(
            f"election of {election.ended - election.began:5.1f} s, after {began:5.1f} s:"
            f"   {inside['right']:6,} right   {inside['unavailable']:5,} clean 503"
        )
    for kind, number in report.count_kinds().most_common():
        click.echo(f"{kind:20} {number:8,}   {number / len(report.answers):7.2%}")
    click.echo(f"{'outside elections':20} {len(report.find_strays()):8,}   not right")


def measure_failover(folder: Path, seconds: float, faults: Sequence[Fault], *, election_ms: int) -> Report:
    """Let clients send requests while the faults occur, spread evenly, each once the replica set is whole again.

    Args:
        folder: an empty folder for the set's data.
        seconds: minimum duration; the clients go on until all faults are over.
        faults: what to do to the set, in order.
        election_ms: how long the primary must be silent before another is elected, in ms.
    """
    with run_replica_set(folder, election_ms=election_ms) as replicas:
        # Dates are far from both ends of the window, so that each answer stays the same.
        documents = build_documents(_DOCUMENTS, until=time.time_ns() // 1_000_000 - _DAY_MS)
        fill(replicas, documents)
        with run_gateway(replicas.admin, find_free_port(), folder, GATEWAY_LOG_LEVEL="error") as gateway:
            asked = [_learn(*each) for each in _build_questions(documents, gateway.url)]
            return _ask_during(replicas, asked, seconds, faults)


def build_documents(size: int, *, until: int, address: str = "1 Main Street\nSpringfield") -> list[Document]:
    """Build documents of one shape; some share a date, so that an answer's order depends on the id too."""
    return [
        {
            "_id": f"{number * 7919 % size:06}",
            "date": until - number // 3 * 1_000,
            "currency": ("USD", "EUR", "JPY")[number % 3],
            "amount": number % 1_000 + 0.25,
            "vendor": f"Vendor {number}",
            "address": address,
            "cardType": ("Visa", "Mastercard", "Amex")[number % 5 % 3],
            "cardNumber": str(4_000_000_000_000_000 + number),
            "countryOrigin": ("US", "FR", "JP", "BR")[number % 4],
        }
        for number in range(size)
    ]


def fill(replicas: ReplicaSet, documents: Iterable[Document]) -> None:
    """Store the documents on all members, with the gateway's indexes."""
    provision(replicas.admin)
    on_all = WriteConcern(w=len(replicas.members))
    replicas.client[replicas.admin.database].get_collection(COLLECTION, write_concern=on_all).insert_many(documents)


def _build_questions(documents: list[Document], url: str) -> list[tuple[httpx.Request, Any]]:
    """Build requests of each kind, with the expected content of their answers."""
    rows, french = (select(documents, Question(country=country), now_ms=0) for country in (None, "FR"))
    visa = len(select(documents, Question(card_type="Visa"), now_ms=0))
    query = """{ transactions(filter: {days: 90, country: "FR"}, first: 10000) { totalCount nodes { id amount } } }"""
    nodes = [{"id": row["_id"], "amount": f"{row['amount']:.2f}"} for row in french]
    page = {"data": {"transactions": {"totalCount": len(french), "nodes": nodes}}}
    return [
        (httpx.Request("GET", f"{url}/transactions/90"), rows),
        (httpx.Request("GET", f"{url}/transactions/90/card/visa"), {"count": visa}),
        (httpx.Request("POST", f"{url}/graphql", json={"query": query}), page),
        (httpx.Request("GET", f"{url}/transactions/90/country/FR"), french),
        (httpx.Request("GET", f"{url}/transactions/90?limit=50"), rows[:50]),
    ]


def _learn(request: httpx.Request, expected: object) -> Asked:
    """Check an answer against the expected content and keep its body, for later answers to be compared byte by byte."""
    with httpx.Client(timeout=_SECONDS) as client:
        answer = client.send(request)
    if answer.status_code != HTTPStatus.OK or answer.json() != expected:
        raise click.ClickException(f"{request.url} is answered wrongly before anything has failed: {answer.text[:200]}")
    return Asked(request, answer.content)


def _ask_during(replicas: ReplicaSet, asked: Sequence[Asked], seconds: float, faults: Sequence[Fault]) -> Report:
    answers: list[Answer] = []
    elections: list[Election] = []
    started = time.monotonic()
    over = threading.Event()

    def ask_until_over(first: int) -> None:
        with httpx.Client(timeout=_SECONDS) as client:
            for number in count(first):
                if over.is_set():
                    return
                answers.append(_ask(client, asked[number % len(asked)]))

    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(ask_until_over, number) for number in range(CLIENTS)]
        try:
            for fault in faults:
                time.sleep(seconds / (len(faults) + 1))
                elections.append(_hold_election(replicas, fault))
            time.sleep(seconds / (len(faults) + 1))
        finally:
            over.set()
        for each in clients:
            each.result()
    return Report(started, answers, elections)


def _hold_election(replicas: ReplicaSet, fault: Fault) -> Election:
    """Cause the fault, wait for the next primary, and restart the previous one if it has ended."""
    replicas.await_secondaries()
    before = replicas.await_primary()
    began = time.monotonic()
    fault(replicas)
    wait_until(lambda: replicas.find_primary() not in {None, before}, "the next primary")
    ended = time.monotonic()
    if before.process.poll() is not None:
        before.start()
    return Election(fault.__name__, began, ended)


def _ask(client: httpx.Client, asked: Asked) -> Answer:
    began = time.monotonic()
    try:
        answer = client.send(asked.request)
    except httpx.RemoteProtocolError:
        kind = "broken"
    else:
        kind = _judge(answer, asked)
    return Answer(kind, began, time.monotonic())


def _judge(answer: httpx.Response, asked: Asked) -> str:
    if answer.status_code == HTTPStatus.OK:
        return "right" if answer.content == asked.body else "wrong"
    body = answer.json()
    codes = [body["code"]] if "code" in body else [error["extensions"]["code"] for error in body["errors"]]
    is_clean = set(codes) == {"DATABASE_UNAVAILABLE"} and "retry-after" in answer.headers
    return "unavailable" if is_clean and answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE else "unclean"


def _overlap(answer: Answer, election: Election) -> bool:
    return answer.began < election.ended and answer.ended > election.began
