"""Measure `gateway seed` beside the rate at which the same mongod takes ready-made documents, with the same indexes.

`python -m benchmarks seeding [COUNT] [WORKERS]`. It starts its own mongod and leaves nothing behind.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import bson
import click
from bson.raw_bson import RawBSONDocument
from faker import Faker

from benchmarks.argument import parse_numbers
from benchmarks.process import open_server
from database.client import open_sync_client
from database.embedded import EmbeddedServer
from database.environment import DatabaseEnvironment
from database.index import COLLECTION
from database.machine import count_cores
from database.provision import provision
from seeding.document import build_documents
from seeding.plan import Plan, new_plan
from seeding.pool import build_pools

_COUNT = 200_000
_ONE_AT_A_TIME = 3_000


def main(arguments: list[str]) -> None:
    """Print the three rates and the ratio of the first two."""
    count, workers = parse_numbers("seeding", arguments, COUNT=_COUNT, WORKERS=count_cores())
    with tempfile.TemporaryDirectory() as folder, open_server(Path(folder)) as server:
        click.echo(
            f"{count:,} documents, {workers} parallel inserters, MongoDB {server.version}, {os.cpu_count()} cores"
        )
        ready = _measure_ready(server, count, workers)
        click.echo(f"ready-made documents, in bulk:               {ready:10,.0f} a second")
        seeded = _measure_seed(server, count, workers)
        click.echo(f"gateway seed, its own start included:        {seeded:10,.0f} a second")
        single = _measure_one_at_a_time(server)
        click.echo(f"Faker, one insert at a time, one process:    {single:10,.0f} a second")
        click.echo(f"gateway seed / ready-made documents:         {seeded / ready:10.2f}")


@contextmanager
def _open_database(server: EmbeddedServer, name: str) -> Iterator[DatabaseEnvironment]:
    """Provision an empty database with the gateway's indexes, and drop it at the end."""
    environment = replace(server.admin, database=name)
    provision(environment)
    yield environment
    with open_sync_client(environment) as client:
        client.drop_database(name)


def _measure_seed(server: EmbeddedServer, count: int, workers: int) -> float:
    with _open_database(server, "seeded") as environment:
        command = [str(Path(sys.executable).with_name("gateway")), "seed", str(count), "--seed", "7"]
        began = time.perf_counter()
        subprocess.run(  # noqa: S603 (our own command)
            [*command, "--workers", str(workers)],
            env={**os.environ, "MONGO_URI": environment.connection_uri},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return count / (time.perf_counter() - began)


def _measure_ready(server: EmbeddedServer, count: int, workers: int) -> float:
    """Return the rate at which `workers` processes insert documents built and encoded before the clock starts."""
    with _open_database(server, "ready") as environment:
        context = multiprocessing.get_context("spawn")
        barrier = context.Barrier(workers + 1)
        plan = new_plan(count, seed=7)
        inserters = [
            context.Process(target=insert_ready, args=(environment, plan, first, workers, barrier))
            for first in range(workers)
        ]
        for inserter in inserters:
            inserter.start()
        barrier.wait()
        began = time.perf_counter()
        barrier.wait()
        seconds = time.perf_counter() - began
        for inserter in inserters:
            inserter.join()
        return count / seconds


def insert_ready(environment: DatabaseEnvironment, plan: Plan, first: int, step: int, barrier: Barrier) -> None:
    try:
        _prepare_and_insert(environment, plan, first, step, barrier)
    except BaseException:
        # The others would wait for this process for ever.
        barrier.abort()
        raise


def _prepare_and_insert(environment: DatabaseEnvironment, plan: Plan, first: int, step: int, barrier: Barrier) -> None:
    pools = build_pools(plan.seed)
    chunks = [
        [
            RawBSONDocument(bson.encode(document))
            for document in build_documents(plan.seed, chunk, plan.size_of(chunk), pools, plan.until)
        ]
        for chunk in range(first, plan.chunks, step)
    ]
    with open_sync_client(environment) as client:
        collection = client[environment.database][COLLECTION]
        client.admin.command("ping")
        barrier.wait()
        for documents in chunks:
            collection.insert_many(documents, ordered=False)
        barrier.wait()


def _measure_one_at_a_time(server: EmbeddedServer) -> float:
    """Return the rate of a plain script: one process, Faker for each field, `insert_one` for each document."""
    faker = Faker()
    with _open_database(server, "single") as environment, closing(open_sync_client(environment)) as client:
        collection = client[environment.database][COLLECTION]
        began = time.perf_counter()
        for _ in range(_ONE_AT_A_TIME):
            collection.insert_one(_invent(faker))
        return _ONE_AT_A_TIME / (time.perf_counter() - began)


def _invent(faker: Faker) -> dict[str, Any]:
    return {
        "_id": str(faker.uuid4()),
        "date": int(faker.date_time_between("-1y").timestamp() * 1000),
        "currency": faker.currency_code(),
        "amount": faker.pyfloat(right_digits=2, min_value=0, max_value=1000),
        "vendor": faker.company(),
        "address": faker.address(),
        "cardType": faker.credit_card_provider(),
        "cardNumber": faker.credit_card_number(),
        "countryOrigin": faker.country_code(),
    }
