"""A local AWS Lambda environment: its real emulator and its real runtime client, running the gateway's handler."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import httpx

from tests.waiting import find_free_port, wait_until

_PATH = "/2015-03-31/functions/function/invocations"
_SECONDS = 60
_DOMAIN = "gateway.example"
_CLIENT = "203.0.113.7"


@dataclass(frozen=True)
class Answer:
    """A function's response to an HTTP API or a load balancer, as the client would get it."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class LambdaEnvironment:
    """A running environment, its log file and default request headers."""

    url: str
    log: Path
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, path: str, *, body: dict[str, Any] | None = None, **headers: str) -> Answer:
        """Send a request as an HTTP API does, as an event of format 2.0; header names have `_` for `-`."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return _read_answer(self.invoke(build_event(path, self.headers | given, body)))

    def ask_by_load_balancer(self, path: str, **headers: str) -> Answer:
        """Send a request as an application load balancer does."""
        return _read_answer(self.invoke(build_load_balancer_event(path, self.headers | headers)))

    def invoke(self, event: object) -> Any:
        """Invoke the function with an event and return the result."""
        return httpx.post(self.url, json=event, timeout=_SECONDS).raise_for_status().json()

    def read_log(self) -> str:
        return self.log.read_text()


def build_event(path: str, headers: dict[str, str], body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return an event as AWS documents it (Lambda proxy integration of an HTTP API, payload format version 2.0)."""
    plain, _, query = path.partition("?")
    method = "GET" if body is None else "POST"
    content = {} if body is None else {"content-type": "application/json"}
    encoded = {} if body is None else {"body": base64.b64encode(json.dumps(body).encode()).decode()}
    # An HTTP API delivers paths percent-decoded.
    path = unquote(plain)
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"host": _DOMAIN, "x-forwarded-proto": "https", "x-forwarded-port": "443", **content, **headers},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": _DOMAIN,
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": _CLIENT, "userAgent": "test"},
            "requestId": "id",
            "stage": "$default",
            "timeEpoch": 1_583_348_638_390,
        },
        **encoded,
        "isBase64Encoded": body is not None,
    }


def build_load_balancer_event(path: str, headers: dict[str, str]) -> dict[str, Any]:
    """Return an event as AWS documents it (Lambda functions as targets), with multi-value headers enabled."""
    plain, _, query = path.partition("?")
    pairs = [pair.split("=", 1) for pair in query.split("&") if pair]
    arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/gateway/0123456789abcdef"
    common = {"host": _DOMAIN, "x-forwarded-for": f"192.0.2.1, {_CLIENT}", "x-forwarded-proto": "https"}
    return {
        "requestContext": {"elb": {"targetGroupArn": arn}},
        "httpMethod": "GET",
        "path": quote(unquote(plain)),
        "multiValueQueryStringParameters": {name: [value] for name, value in pairs},
        "multiValueHeaders": {name: [value] for name, value in (common | headers).items()},
        "body": "",
        "isBase64Encoded": False,
    }


def _read_answer(given: dict[str, Any]) -> Answer:
    headers = given.get("headers") or {name: ", ".join(values) for name, values in given["multiValueHeaders"].items()}
    body = given["body"]
    return Answer(given["statusCode"], headers, base64.b64decode(body) if given["isBase64Encoded"] else body.encode())


@contextmanager
def run_lambda(folder: Path, headers: dict[str, str], **variables: str) -> Iterator[LambdaEnvironment]:
    """Run an environment until the block ends; the variable RIE names the emulator's file."""
    port, runtime_port = find_free_port(), find_free_port()
    log = folder / "lambda.log"
    command = [
        os.environ["RIE"],
        f"--runtime-interface-emulator-address=127.0.0.1:{port}",
        f"--runtime-api-address=127.0.0.1:{runtime_port}",
        *(sys.executable, "-m", "awslambdaric", "gateway.lambda_handler.handle"),
    ]
    environ = {**os.environ, "AWS_LAMBDA_FUNCTION_TIMEOUT": "29", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769"}
    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=folder, env=environ | variables, stdout=output, stderr=output) as process,
    ):
        try:
            wait_until(lambda: _is_listening(port), "the emulator")
            yield LambdaEnvironment(f"http://127.0.0.1:{port}{_PATH}", log, headers)
        finally:
            process.terminate()
            process.wait(_SECONDS)


def _is_listening(port: int) -> bool:
    try:
        httpx.get(f"http://127.0.0.1:{port}/")
    except httpx.TransportError:
        return False
    return True
