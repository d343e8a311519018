"""Spans, as a real collector receives them over HTTP from a real gateway."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from database.environment import DatabaseEnvironment
from tests.process import GatewayProcess, read_log, run_gateway
from tests.waiting import find_free_port

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
PLANTED = "4111111111111111"


class Collector(ThreadingHTTPServer):
    """A collector that keeps the spans it receives, and their raw bytes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.spans: list[Any] = []
        self.services: set[str] = set()
        self.raw = b""


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.raw += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            names = [each for each in resource.resource.attributes if each.key == "service.name"]
            self.server.services.update(each.value.string_value for each in names)
            for scope in resource.scope_spans:
                self.server.spans += scope.spans
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Suppress the access log."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def read_attributes(span: Any) -> dict[str, Any]:
    return {
        each.key: each.value.int_value if each.value.HasField("int_value") else each.value.string_value
        for each in span.attributes
    }


def ask(gateway: GatewayProcess) -> None:
    """Send a count within the caller's trace, and without a trace a refused list and a GraphQL query."""
    counted = httpx.get(f"{gateway.url}/transactions/90/card/{PLANTED}", headers=TRACEPARENT).raise_for_status()
    assert counted.headers["x-request-id"] == TRACE
    httpx.get(f"{gateway.url}/transactions/{PLANTED}")
    query = f'query Q{PLANTED} {{ transaction(id: "{PLANTED}") {{ id }} transactions {{ totalCount }} }}'
    httpx.post(f"{gateway.url}/graphql", json={"query": query}).raise_for_status()


def test_a_request_and_its_commands_are_one_trace(
    reader_environment: DatabaseEnvironment, tmp_path: Path, collector: Collector
) -> None:
    """The shutdown flushes spans of requests, children of the caller's, and of commands, children of the requests'."""
    variables: dict[str, Any] = {
        "GATEWAY_TRACING": "on",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
        # Nothing is sent before the shutdown.
        "OTEL_BSP_SCHEDULE_DELAY": "600000",
        # The server makes every count, so that its command does not depend on timing.
        "GATEWAY_COUNT_ROLLUPS": "off",
    }
    with run_gateway(reader_environment, find_free_port(), tmp_path, **variables) as gateway:
        ask(gateway)
    spans = collector.spans
    assert collector.services == {"transactions-gateway"}
    [request] = [span for span in spans if span.name == "GET /transactions/{days}/card/{cardType}"]
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, PARENT)
    assert request.kind == request.SPAN_KIND_SERVER
    assert read_attributes(request) == {
        "http.request.method": "GET",
        "url.scheme": "http",
        "http.route": "/transactions/{days}/card/{cardType}",
        "http.response.status_code": 200,
    }
    [command] = [span for span in spans if span.parent_span_id == request.span_id]
    assert (command.name, command.trace_id, command.kind) == (
        "aggregate transaction",
        request.trace_id,
        command.SPAN_KIND_CLIENT,
    )
    assert request.start_time_unix_nano <= command.start_time_unix_nano < command.end_time_unix_nano
    assert command.end_time_unix_nano <= request.end_time_unix_nano
    assert read_attributes(command) == {
        "db.system.name": "mongodb",
        "db.operation.name": "aggregate",
        "db.collection.name": "transaction",
        "db.namespace": reader_environment.database,
    }
    [refused] = [span for span in spans if span.name == "GET /transactions/{days}"]
    assert read_attributes(refused)["error.type"] == "INVALID_DAYS"
    [graphql] = [span for span in spans if span.name == "POST /graphql"]
    assert sorted(span.name for span in spans if span.parent_span_id == graphql.span_id) == [
        "aggregate transaction",
        "find transaction",
    ]
    ids = {line["request_id"] for line in read_log(tmp_path) if line.get("route") == "/graphql"}
    assert ids == {graphql.trace_id.hex()}
    assert PLANTED.encode() not in collector.raw


def test_a_collector_that_is_away_costs_nothing(reader_environment: DatabaseEnvironment, tmp_path: Path) -> None:
    """Without a collector requests are served, and the shutdown is clean and in time."""
    endpoint = f"http://127.0.0.1:{find_free_port()}"
    variables: dict[str, Any] = {"GATEWAY_TRACING": "on", "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
    with run_gateway(reader_environment, find_free_port(), tmp_path, **variables) as gateway:
        ask(gateway)


_WITHOUT_PACKAGES = """
import sys, importlib.abc
class Hide(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] == "opentelemetry":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Hide())
from gateway.__main__ import main
main()
"""


def test_tracing_without_its_packages_is_refused(reader_environment: DatabaseEnvironment, tmp_path: Path) -> None:
    """Without the extra installed, the gateway does not start, and one line says what to install."""
    config = tmp_path / "db_envs.yaml"
    config.write_text(f"mongo_uri: {reader_environment.connection_uri}\n")
    command = [sys.executable, "-c", _WITHOUT_PACKAGES, "serve", "--port", "0", "--config", str(config)]
    ended = subprocess.run(command, env={"GATEWAY_TRACING": "on"}, capture_output=True, check=False, text=True)
    assert ended.returncode == 1
    assert ended.stderr == (
        "gateway: GATEWAY_TRACING=on needs the extra tracing: pip install '.[tracing]' in the gateway's repository.\n"
    )


_APPLICATION = """
import sys
import gateway.worker
from database.environment import DatabaseEnvironment
from gateway.app import create_app
from gateway.settings import load_settings
create_app(load_settings({}), DatabaseEnvironment(uri="mongodb://127.0.0.1/transactions"))
loaded = [name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter"))]
assert not loaded, loaded
assert "gateway.tracing" not in sys.modules
"""


def test_without_tracing_nothing_of_it_is_imported() -> None:
    """By default a worker does not import OpenTelemetry's SDK; FastAPI imports the API where it is installed."""
    subprocess.run([sys.executable, "-c", _APPLICATION], check=True)
