"""Time the first and later answers of a new AWS Lambda environment, with AWS's own runtime client and emulator.

`python -m benchmarks coldstart [ENVIRONMENTS]`. It starts its own mongod and leaves nothing behind. The times exclude
what Lambda does before it runs the image, and its smaller share of a core: the emulator reproduces neither.
"""

import os
import statistics
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import click

from benchmarks.argument import parse_numbers
from benchmarks.conditions import describe_machine
from benchmarks.process import open_server
from database.environment import Credentials
from database.provision import provision
from deploy.emulator import get_emulator
from gateway.caller import Scope
from gateway.keys import create_key
from seeding.seeder import seed
from tests.deploy.lambda_environment import LambdaEnvironment, run_lambda

_ENVIRONMENTS = 5
_DOCUMENTS = 20_000
_LATER = 200
_OK = 200
_QUESTIONS = {"a count": "/transactions/90/card/Visa", "a page of 100 rows": "/transactions/90?limit=100"}


@dataclass(frozen=True, slots=True)
class _Times:
    """The times of one environment, in ms: its first answer, and the later ones in order."""

    first: float
    later: list[float]


def main(arguments: list[str]) -> None:
    """Print the times of the first and later answers of new environments, for each request."""
    [environments] = parse_numbers("coldstart", arguments, ENVIRONMENTS=_ENVIRONMENTS)
    for name, value in describe_machine().items():
        click.echo(f"{name}: {value}")
    click.echo(f"{environments} new environments for each question, {_DOCUMENTS:,} documents, bytecode compiled\n")
    os.environ["RIE"] = str(get_emulator())
    with tempfile.TemporaryDirectory() as name, open_server(Path(name)) as server:
        folder = Path(name)
        admin = replace(server.admin, database="benchmark")
        reader = Credentials("reader", "benchmark")
        provision(admin, reader=reader)
        seed(admin, _DOCUMENTS, seed=1)
        keys = folder / "keys.json"
        _, key = create_key(keys, "benchmark", frozenset({Scope.TRANSACTIONS_READ}))
        variables = {"MONGO_URI": admin.with_credentials(reader).connection_uri, "GATEWAY_KEYS_FILE": str(keys)}
        click.echo(f"{'ms':<20} {'first':>7} {'spread':>13} {'later':>7} {'99 %':>7}")
        for question, path in _QUESTIONS.items():
            times = []
            for _ in range(environments):
                with run_lambda(folder, {"x-api-key": key}, **variables) as environment:
                    times.append(_measure(environment, path))
            _print(question, times)


def _measure(environment: LambdaEnvironment, path: str) -> _Times:
    # The emulator starts the runtime when the first event arrives.
    first, *later = [_time(environment, path) for _ in range(1 + _LATER)]
    return _Times(first, later)


def _time(environment: LambdaEnvironment, path: str) -> float:
    began = time.perf_counter()
    answer = environment.ask(path)
    elapsed = time.perf_counter() - began
    if answer.status != _OK:
        raise SystemExit(f"The function answered {answer.status}: {answer.body.decode()}")
    return elapsed * 1_000


def _print(question: str, times: list[_Times]) -> None:
    firsts = [each.first for each in times]
    later = [each for environment in times for each in environment.later]
    spread = f"{min(firsts):.0f} to {max(firsts):.0f}"
    slowest = statistics.quantiles(later, n=100)[98]
    click.echo(
        f"{question:<20} {statistics.median(firsts):7.0f} {spread:>13} {statistics.median(later):7.1f} {slowest:7.1f}"
    )
