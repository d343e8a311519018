"""Attacks gateways with random requests and judges the responses: `python -m tests.fuzz --requests 10000 --seed 7`.

Without --requests it runs until Ctrl-C. It attacks two gateways in turn: an open one whose documents all have the
declared shape, and one that requires keys and also holds foreign and malformed documents. On a fault it prints the
smallest request that reproduces it and exits with code 1.
"""

import http.client
import itertools
import math
import random
import secrets
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from bson.decimal128 import Decimal128
from bson.objectid import ObjectId
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.errors import Flaky
from hypothesis.strategies import SearchStrategy

from database.client import open_sync_client
from database.embedded import EmbeddedServer, open_embedded_server
from database.environment import Credentials, DatabaseEnvironment
from database.index import COLLECTION
from database.provision import provision
from gateway.caller import Scope
from gateway.keys import create_key
from schema.context import read_clock_ms
from tests.attack import build_attacks
from tests.exchange import Answer, HangError, Request, send
from tests.judge import FaultError, Judge, is_below
from tests.process import run_gateway
from tests.waiting import find_free_port

DOCUMENTS = 2_000
WORKERS = 2
# Requests of one kind sent to one gateway before moving on to the other.
_BATCH = 100
_YEARS_MS = 3 * 365 * 86_400_000


@dataclass(frozen=True, slots=True)
class Target:
    """A gateway under attack.

    Attributes:
        name: for the summary.
        url: its base URL.
        folder: the folder of its log.
        judge: checks its responses.
        attacks: request strategies by kind.
    """

    name: str
    url: str
    folder: Path
    judge: Judge
    attacks: dict[str, SearchStrategy[Request]]


@dataclass
class Tally:
    """The requests sent so far, by gateway, kind and status."""

    answers: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    started: float = field(default_factory=time.monotonic)

    def count(self, target: Target, request: Request, answer: Answer | None) -> None:
        """Count one request and its response."""
        status = "closed" if answer is None else "not HTTP" if is_below(answer) else str(answer.status)
        self.answers[target.name, request.kind, status] += 1

    def render(self) -> str:
        """Return the summary, one line per gateway and kind."""
        lines = []
        for group, found in itertools.groupby(sorted(self.answers.items()), lambda item: item[0][:2]):
            statuses = {status: count for (_, _, status), count in found}
            told = ", ".join(f"{count} of {status}" for status, count in statuses.items())
            lines.append(f"{' '.join(group):16} {sum(statuses.values()):6}  {told}")
        total, seconds = self.answers.total(), time.monotonic() - self.started
        return "\n".join([*lines, f"{total} requests in {seconds:.0f} s, {total / seconds:.0f} a second"])


class FoundError(Exception):
    """A fault was found; the message holds the request, the response and what is wrong."""


@contextmanager
def open_targets(server: EmbeddedServer, folder: Path) -> Iterator[list[Target]]:
    """Run the two gateways."""
    with ExitStack() as stack:
        yield [stack.enter_context(_open_target(server, folder, is_open=is_open)) for is_open in (True, False)]


@contextmanager
def _open_target(server: EmbeddedServer, parent: Path, *, is_open: bool) -> Iterator[Target]:
    name = "open" if is_open else "guarded"
    folder = parent / name
    folder.mkdir()
    admin = replace(server.admin, database=f"fuzz_{name}")
    owner, reader = Credentials("owner", secrets.token_urlsafe()), Credentials("reader", secrets.token_urlsafe())
    provision(admin, owner=owner, reader=reader)
    documents = build_documents(random.Random(1))  # noqa: S311 - the same documents each time
    documents += [] if is_open else build_foreign_documents()
    with open_sync_client(admin.with_credentials(owner)) as client:
        client[admin.database][COLLECTION].insert_many(documents)
    keys_file, keys = folder / "keys.json", {}
    variables = {"GATEWAY_LOG_FORMAT": "json", "GATEWAY_SLOW_QUERY_MS": "1"}
    if not is_open:
        reading = {Scope.TRANSACTIONS_READ}
        kinds = {"reader": reading, "revealing": {*reading, Scope.CARDS_READ}, "measuring": {Scope.METRICS_READ}}
        keys = {name: create_key(keys_file, name, frozenset(scopes))[1] for name, scopes in kinds.items()}
        variables |= {"GATEWAY_KEYS_FILE": str(keys_file), "GATEWAY_FAILURES_PER_MINUTE": "10000"}
    judge = Judge(
        numbers=frozenset(document["cardNumber"] for document in documents if isinstance(document["cardNumber"], str)),
        is_open=is_open,
        readers=frozenset(keys[name] for name in keys if name != "measuring"),
        revealing=frozenset(keys[name] for name in keys if name == "revealing"),
        is_declared=is_open,
    )
    port = find_free_port()
    with run_gateway(admin.with_credentials(reader), port, folder, WORKERS, **variables) as gateway:
        # Readers' keys are over-represented so that most attacks get past authentication.
        senders = (*sorted(judge.readers) * 3, *keys.values(), None) if keys else (None,)
        yield Target(name, gateway.url, folder, judge, build_attacks(sorted(judge.numbers)[:20], senders))


def build_documents(chance: random.Random) -> list[dict[str, Any]]:
    """Return documents of the declared shape, dated within the last three years."""
    now = read_clock_ms()
    return [
        {
            "_id": f"{index:08x}-0000-4000-8000-{chance.getrandbits(48):012x}",
            "date": now - chance.randrange(_YEARS_MS),
            "currency": chance.choice(["USD", "EUR", "JPY"]),
            "amount": chance.randrange(1_000_000) / 100,
            "vendor": chance.choice(["Acme Ltd", '"Quoted", Inc.', "naïve 🏦\u2028", "=1+1"]),
            "address": "1 Main Street\nSpringfield",
            "cardType": chance.choice(["Visa", "Mastercard", "Amex", "a/b", "$ne"]),
            "cardNumber": "".join(chance.choices("0123456789", k=chance.choice([15, 16, 19]))),
            "countryOrigin": chance.choice(["US", "GB", "DE"]),
        }
        for index in range(DOCUMENTS)
    ]


def build_foreign_documents() -> list[dict[str, Any]]:
    """Return documents as other programs may have stored them: odd ones, and ones that some formats cannot serve."""
    now, number = read_clock_ms(), "4929173856205713"
    odd: list[dict[str, Any]] = [
        {"cardNumber": int(number)},
        {"cardNumber": float(number)},
        {"cardNumber": Decimal128(number)},
        {"cardNumber": number.encode()},
        {"cardNumber": " ".join(number[i : i + 4] for i in (0, 4, 8, 12))},
        {"cardNumber": {"number": number}},
        {"cardNumber": [number]},
        {"cardNumber": 12},
        {"_id": ObjectId()},
        {"amount": Decimal128(Decimal("123.45"))},
        {"amount": 10**18},
        {"amount": math.nan},
        {"amount": math.inf},
        {"amount": "12"},
        {"date": float(now)},
        {"date": datetime(2026, 1, 1, tzinfo=UTC)},
        {"date": 10**17},
        {"date": None},
        {"vendor": None, "cvv": "123"},
        {"vendor": {"name": "x"}},
        {"address": b"\xff\0"},
        {"cardType": 5},
        {"currency": None},
        {"_id": 5},
        {"_id": "x" * 3_000},
        {"_id": {"a": 1}},
    ]
    base = build_documents(random.Random(2))  # noqa: S311 - as above
    whole = [{**document, "cardNumber": number, **changes} for document, changes in zip(base, odd, strict=False)]
    for index, document in enumerate(whole):
        document["_id"] = odd[index].get("_id", f"foreign {index}")
    # None marks a key to leave out.
    return [{key: value for key, value in document.items() if value is not None} for document in whole]


def attack(target: Target, kind: str, examples: int, number: int, tally: Tally) -> None:
    """Send some requests of one kind; the same `number` sends the same requests.

    Raises:
        FoundError: a response is wrong; hypothesis has shrunk the request as far as it could.
    """
    faults: list[tuple[Request, Answer | None, Exception]] = []

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
        report_multiple_bugs=False,
    )
    @given(target.attacks[kind])
    def answers_well(request: Request) -> None:
        answer = None
        try:
            answer = send(target.url, request)
            tally.count(target, request, answer)
            target.judge.judge(request, answer)
        except (FaultError, HangError, http.client.HTTPException) as error:
            faults.append((request, answer, error))
            raise

    try:
        with warnings.catch_warnings():
            # hypothesis warns once that the repr of the strategy is large.
            warnings.filterwarnings("ignore", "Generating overly large repr")
            answers_well()
    except (FaultError, HangError, http.client.HTTPException, Flaky) as error:
        # hypothesis runs the smallest example last; a fault that does not recur (Flaky) still counts.
        request, answer, fault = faults[-1]
        told = f"{answer.status}, {answer.headers}\n{answer.body[:2_000]!r}" if answer else "no answer"
        raise FoundError(f"{type(fault).__name__}: {fault}\n\n{request.describe(target.url)}\n\n{told}") from error


def judge_log(target: Target) -> None:
    """Check that the gateway's log holds no stored card number, no error and no traceback.

    Raises:
        FoundError: a line does.
    """
    for line in (target.folder / "gateway.log").read_text().splitlines():
        told = next((number for number in target.judge.numbers if number in line), None)
        if told or '"level":"error"' in line or "Traceback" in line:
            raise FoundError(f"The log of the {target.name} gateway says: {line}")


def fuzz(targets: list[Target], tally: Tally, *, requests: int | None, start: int) -> None:
    """Attack the gateways in turn with each kind until `requests` were sent; without a number, forever.

    Raises:
        FoundError: a response is wrong.
    """
    kinds = ("openapi", "graphql", "malice", "wire")
    for number in itertools.count(start * 1_000_003):
        for kind, target in itertools.product(kinds, targets):
            left = math.inf if requests is None else requests - tally.answers.total()
            if left <= 0:
                return
            attack(target, kind, int(min(_BATCH, left)), number, tally)


@click.command()
@click.option("--requests", type=click.IntRange(1), help="How many to send; until Ctrl-C when left out.")
@click.option("--seed", "start", type=int, help="The same requests for the same number; random when left out.")
def main(requests: int | None, start: int | None) -> None:
    """Attack real gateways with random requests, and judge every answer."""
    start = secrets.randbelow(1_000_000) if start is None else start
    click.echo(f"seed {start}")
    tally, fault = Tally(), None
    environment = DatabaseEnvironment("owner", "owner's password", "127.0.0.1", find_free_port(), "unused")
    with (
        tempfile.TemporaryDirectory() as name,
        open_embedded_server(environment, Path(name) / "mongod") as server,
        open_targets(server, Path(name)) as targets,
    ):
        tally.started = time.monotonic()
        try:
            fuzz(targets, tally, requests=requests, start=start)
            for target in targets:
                judge_log(target)
        except FoundError as error:
            fault = error
        except KeyboardInterrupt:
            pass
    click.echo(tally.render())
    if fault:
        click.echo(f"\nA fault (seed {start}): {fault}", err=True)
        sys.exit(1)
    click.echo("No fault was found.")


if __name__ == "__main__":
    main()
