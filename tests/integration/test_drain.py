"""A gateway that is told to stop completes requests in flight and informs open connections before closing them."""

import http.client
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from database.client import open_sync_client
from database.environment import DatabaseEnvironment
from database.index import COLLECTION
from gateway.caller import Scope
from gateway.keys import create_key
from schema.context import read_clock_ms
from tests.process import GatewayProcess, read_log, run_gateway
from tests.waiting import find_free_port, wait_until

ROOT = Path(__file__).parents[2]
ROWS = 50_000
TRANSACTION = {
    "currency": "EUR",
    "amount": 12.5,
    "vendor": "Café",
    "address": "Lindenstraße 7",
    "cardType": "Visa",
    "cardNumber": "4111111111111111",
    "countryOrigin": "US",
}


def is_refusing(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.connect()
    except ConnectionRefusedError:
        return True
    finally:
        connection.close()
    return False


@contextmanager
def send_a_list(
    environment: DatabaseEnvironment, reader_environment: DatabaseEnvironment, folder: Path, /, **variables: str
) -> Iterator[tuple[GatewayProcess, http.client.HTTPResponse, http.client.HTTPConnection]]:
    """Yield a gateway that is sending a list of ROWS, the response to it, and another connection that is open."""
    with open_sync_client(environment) as client:
        client[environment.database][COLLECTION].insert_many(
            {"_id": str(number), "date": read_clock_ms(), "vendor": "V" * 500} for number in range(ROWS)
        )
    with run_gateway(reader_environment, find_free_port(), folder, **variables) as gateway, ExitStack() as stack:
        busy, idle = (
            stack.enter_context(closing(http.client.HTTPConnection(urlsplit(gateway.url).netloc, timeout=60)))
            for _ in range(2)
        )
        idle.request("GET", "/health/ready")
        ready = idle.getresponse()
        assert (ready.status, ready.getheader("connection")) == (200, None)
        ready.read()
        busy.request("GET", "/transactions/1")
        yield gateway, busy.getresponse(), idle


def test_open_connections_are_answered_until_the_last_request_is(
    environment: DatabaseEnvironment, reader_environment: DatabaseEnvironment, tmp_path: Path
) -> None:
    """While a list is being sent, the port refuses, and an open connection gets 503 DRAINING and Connection: close."""
    with send_a_list(environment, reader_environment, tmp_path) as (gateway, whole, idle):
        gateway.process.send_signal(signal.SIGTERM)
        wait_until(lambda: is_refusing(idle.host, idle.port), "the port to refuse")
        idle.request("GET", "/health/ready")
        draining = idle.getresponse()
        assert (draining.status, draining.getheader("connection")) == (503, "close")
        assert json.load(draining)["code"] == "DRAINING"
        assert len(json.load(whole)) == ROWS
        wait_until(lambda: gateway.process.poll() is not None, "the end")
    assert not [line for line in read_log(tmp_path) if line["level"] != "info"]


def test_a_page_that_comes_back_too_early_comes_back_again(
    environment: DatabaseEnvironment, reader_environment: DatabaseEnvironment, tmp_path: Path
) -> None:
    """A live stream requested while the gateway stops is 200, ends at once, and says when to reconnect.

    An EventSource never reconnects after any other status (HTML Standard, section 9.2.2).
    """
    with send_a_list(environment, reader_environment, tmp_path) as (gateway, whole, page):
        gateway.process.send_signal(signal.SIGTERM)
        wait_until(lambda: is_refusing(page.host, page.port), "the port to refuse")
        page.request("GET", "/transactions/live", headers={"Last-Event-ID": "kept by the page"})
        early = page.getresponse()
        assert (early.status, early.getheader("connection")) == (200, "close")
        assert early.getheader("content-type") == "text/event-stream; charset=utf-8"
        assert re.fullmatch(rb"retry: [1-9]\d{2,3}\n\n", early.read())
        whole.read()


def test_what_takes_longer_than_the_drain_is_broken_off(
    environment: DatabaseEnvironment, reader_environment: DatabaseEnvironment, tmp_path: Path
) -> None:
    """A list whose client does not read in time is cut off recognisably, and a log line gives the rows sent."""
    with send_a_list(environment, reader_environment, tmp_path, GATEWAY_DRAIN_SECONDS="0") as (gateway, part, _):
        gateway.process.send_signal(signal.SIGTERM)
        wait_until(lambda: gateway.process.poll() is not None, "the end")
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            part.read()
    [line] = [line for line in read_log(tmp_path) if line["event"] == "broke off"]
    assert line["level"] == "warning"
    assert 0 < line["rows"] < ROWS


def test_no_request_of_many_clients_is_lost(
    environment: DatabaseEnvironment, reader_environment: DatabaseEnvironment, tmp_path: Path
) -> None:
    """Clients that keep connections or open new ones all the time are served until the port refuses them."""
    with open_sync_client(environment) as client:
        client[environment.database][COLLECTION].insert_many(
            {**TRANSACTION, "_id": str(number), "date": read_clock_ms()} for number in range(1_000)
        )
    keys = tmp_path / "keys.json"
    _, key = create_key(keys, "load", frozenset({Scope.TRANSACTIONS_READ}))
    port = find_free_port()
    load = [sys.executable, str(ROOT / "deploy/image/load.py"), str(port), key]
    with (
        run_gateway(reader_environment, port, tmp_path, 2, GATEWAY_KEYS_FILE=str(keys)) as gateway,
        subprocess.Popen(load, stdout=subprocess.PIPE, text=True) as clients,
    ):
        assert clients.stdout
        assert clients.stdout.readline() == "steady\n"
        gateway.process.send_signal(signal.SIGTERM)
        counts = json.loads(clients.communicate(timeout=60)[0])
    assert counts.keys() == {"200", "refused"}, counts
