"""Measure how soon a transaction reaches all subscribers of a worker, their memory, and what a failover loses.

`python -m benchmarks live [SUBSCRIBERS]`. It starts its own mongods and gateways and leaves nothing behind.
"""

import asyncio
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import psutil
import uvloop
from pymongo import WriteConcern
from pymongo.collection import Collection
from pymongo.errors import ConnectionFailure, DuplicateKeyError

from benchmarks.argument import parse_numbers
from benchmarks.process import open_server
from benchmarks.subscriber import SocketSubscriber, Subscriber, subscribe
from database.client import open_sync_client
from database.index import COLLECTION
from database.provision import provision
from tests.process import GatewayProcess, run_gateway
from tests.replica import ReplicaSet, run_replica_set
from tests.waiting import find_free_port

_SUBSCRIBERS = 5_000
_INSERTS = 20
_FAILOVER_SUBSCRIBERS = 500
_FAILOVER_INSERTS = 100
_LONGEST_SECONDS = 60.0
_PATH = "/transactions/live?days=1&card=visa&minAmount=10"
_SUBSCRIPTION = """subscription {
    transactionAdded(filter: {days: 1, cardType: "visa", minAmount: "10"}) {
        _id: id date currency amount vendor address cardType cardNumber countryOrigin
    }
}"""
_STYLES = (
    ("Server-Sent Events", _PATH, Subscriber),
    ("GraphQL by WebSocket", _SUBSCRIPTION, SocketSubscriber),
)

_Collection = Collection[dict[str, Any]]


def main(arguments: list[str]) -> None:
    """Print the times from insert to subscriber, the memory per subscriber, and the losses in a failover."""
    # At least two: the cost of the first subscriber is kept apart from that of each of the others.
    [number] = parse_numbers("live", arguments, least=2, SUBSCRIBERS=_SUBSCRIBERS)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # One file for each connection, in this process and in the worker, which inherits the limit.
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 2 * number + 1_000), most))
    with tempfile.TemporaryDirectory() as folder, open_server(Path(folder)) as server:
        environment = server.admin
        provision(environment)
        for name, path, kind in _STYLES:
            # A gateway for each style: memory that earlier subscribers had freed would be reused and not counted.
            with (
                run_gateway(
                    environment,
                    find_free_port(),
                    Path(folder),
                    GATEWAY_LOG_LEVEL="error",
                    GATEWAY_MAX_SUBSCRIPTIONS=str(number + 1),
                ) as gateway,
                open_sync_client(environment) as client,
            ):
                click.echo(f"{name}:")
                collection = client[environment.database][COLLECTION]
                uvloop.run(_measure(gateway, collection, number, path, kind))
    with tempfile.TemporaryDirectory() as folder, run_replica_set(Path(folder)) as replicas:
        provision(replicas.admin)
        with run_gateway(
            replicas.admin,
            find_free_port(),
            Path(folder),
            GATEWAY_LOG_LEVEL="error",
            GATEWAY_MAX_SUBSCRIPTIONS=str(_FAILOVER_SUBSCRIBERS),
        ) as gateway:
            uvloop.run(_fail_over(gateway, replicas))


async def _measure(
    gateway: GatewayProcess, collection: _Collection, number: int, path: str, kind: type[Subscriber]
) -> None:
    # One alone first, so that its extra cost is not attributed to the others.
    [alone] = await subscribe(gateway.url, path, 1, kind)
    await _insert(collection, [alone], f"{kind.__name__} first")
    before, began = _measure_memory(gateway), time.perf_counter()
    subscribers = [alone, *await subscribe(gateway.url, path, number - 1, kind)]
    seconds = time.perf_counter() - began
    click.echo(
        f"{number:,} subscribers of one worker, connected in {seconds:.1f} s; cores are shared with all else here"
    )
    rounds = [await _insert(collection, subscribers, f"{kind.__name__} {insert}") for insert in range(_INSERTS)]
    memory = (_measure_memory(gateway) - before) / (number - 1)
    times = sorted(each for delays in rounds for each in delays)
    click.echo(
        f"insert to subscriber: p50 {_in_ms(statistics.median(times))}, p99 {_in_ms(times[len(times) * 99 // 100])}, "
        f"max {_in_ms(times[-1])}; to all of them: median {_in_ms(statistics.median(map(max, rounds)))}"
    )
    click.echo(f"memory of the worker for each subscriber: {memory / 1_000:.1f} kB")
    for subscriber in subscribers:
        subscriber.close()


async def _insert(collection: _Collection, subscribers: list[Subscriber], name: str) -> list[float]:
    """Insert a transaction and return the seconds from before the insert until it reached each subscriber."""
    began = time.perf_counter()
    await asyncio.to_thread(collection.insert_one, _build_document(name))
    await _await_all(subscribers, name)
    return [subscriber.arrived - began for subscriber in subscribers]


async def _await_all(subscribers: list[Subscriber], name: str) -> None:
    wanted = name.encode()
    async with asyncio.timeout(_LONGEST_SECONDS):
        while not all(subscriber.names and subscriber.names[-1] == wanted for subscriber in subscribers):
            await asyncio.sleep(0.01)
            if errors := [error for subscriber in subscribers for error in subscriber.errors]:
                raise ConnectionError(errors[0].decode())


async def _fail_over(gateway: GatewayProcess, replicas: ReplicaSet) -> None:
    """Keep inserting while the primary is killed, and compare what was acknowledged with what arrived."""
    collection = replicas.client.get_default_database().get_collection(
        COLLECTION, write_concern=WriteConcern("majority")
    )
    subscribers = await subscribe(gateway.url, _PATH, _FAILOVER_SUBSCRIBERS)
    names = [str(number) for number in range(_FAILOVER_INSERTS)]
    longest = 0.0
    for number, name in enumerate(names):
        if number == _FAILOVER_INSERTS // 2:
            primary = await asyncio.to_thread(replicas.await_primary)
            primary.kill()
        began = time.perf_counter()
        await asyncio.to_thread(_insert_surely, collection, name)
        await _await_all(subscribers, name)
        longest = max(longest, time.perf_counter() - began)
    expected = [name.encode() for name in names]
    lost = sum(len(set(expected) - set(subscriber.names)) for subscriber in subscribers)
    repeated = sum(len(subscriber.names) - len(set(subscriber.names)) for subscriber in subscribers)
    disordered = sum(subscriber.names != expected for subscriber in subscribers)
    click.echo(
        f"primary killed under {len(subscribers)} subscribers and {len(names)} inserts: {lost} lost, "
        f"{repeated} repeated, {disordered} subscribers with another order; longest from insert to all: {longest:.1f} s"
    )
    for subscriber in subscribers:
        subscriber.close()


def _insert_surely(collection: _Collection, name: str) -> None:
    """Retry an insert until it is acknowledged."""
    document = _build_document(name)
    until = time.monotonic() + _LONGEST_SECONDS
    while time.monotonic() < until:
        try:
            collection.insert_one(document)
        except ConnectionFailure:
            continue
        except DuplicateKeyError:
            # The previous attempt succeeded, but its response was lost.
            return
        return


def _build_document(name: str) -> dict[str, Any]:
    return {
        "_id": name,
        "date": time.time_ns() // 1_000_000,
        "currency": "USD",
        "amount": 129.95,
        "vendor": "Acme Ltd",
        "address": "1 Main Street\nSpringfield, IL 62701",
        "cardType": "Visa",
        "cardNumber": "4111111111111111",
        "countryOrigin": "US",
    }


def _measure_memory(gateway: GatewayProcess) -> int:
    """Return the worker's resident memory, in bytes."""
    return max(child.memory_info().rss for child in psutil.Process(gateway.process.pid).children(recursive=True))


def _in_ms(seconds: float) -> str:
    return f"{seconds * 1_000:.0f} ms"
