"""Check the image as a Lambda function: with the runtime client in it, AWS's emulator, and events of an HTTP API."""

import json
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

from deploy.checks import CheckError
from deploy.emulator import get_emulator
from deploy.image.fact import prove
from deploy.image.site import IMAGE, PROJECT, Site
from deploy.stand import find_port

_PATIENCE_SECONDS = 60
_OK = 200


def check_function(site: Site) -> Iterator[str]:
    """Prove that the same image answers HTTP API events with AWS Lambda's runtime client and emulator."""
    port = find_port()
    variables = {
        "MONGO_HOST": "mongodb",
        "MONGO_PORT": "27017",
        "MONGO_DATABASE": "transactions",
        "MONGO_USERNAME": "reader",
        "MONGO_PASSWORD_FILE": "/run/secrets/reader/password",
        "GATEWAY_KEYS_FILE": "/run/keys/keys.json",
    }
    container = site.docker.require(
        *("run", "--detach", "--rm", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"),  # noqa: S108 - the container's
        *("--network", f"{PROJECT}_default", "--publish", f"127.0.0.1:{port}:8080"),
        *("--volume", f"{get_emulator()}:/emulator:ro"),
        *("--volume", f"{PROJECT}_reader-secret:/run/secrets/reader:ro", "--volume", f"{PROJECT}_keys:/run/keys:ro"),
        *(option for name, value in variables.items() for option in ("--env", f"{name}={value}")),
        *("--entrypoint", "/emulator", IMAGE, "/opt/gateway/bin/python", "-m", "awslambdaric"),
        "gateway.lambda_handler.handle",
    ).strip()
    try:
        key = (site.folder / "transactions").read_text().strip()
        for path, status in (("/transactions/90/card/Visa", _OK), ("/transactions/1?limit=5", _OK), ("/x", 404)):
            answer = _invoke(port, path, key)
            yield from prove((answer["statusCode"] == status, f"the function answers {path}: {answer}"))
    finally:
        site.docker.run("rm", "--force", container)


def _invoke(port: int, path: str, key: str) -> dict[str, Any]:
    """Send an event in payload format 2.0 of an HTTP API, and return the response."""
    plain, _, query = path.partition("?")
    event = {
        "version": "2.0",
        "rawPath": plain,
        "rawQueryString": query,
        "headers": {"host": "gateway.example", "x-api-key": key},
        "requestContext": {
            "http": {"method": "GET", "path": plain, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"},
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        caller = HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_SECONDS)
        try:
            caller.request("POST", "/2015-03-31/functions/function/invocations", json.dumps(event))
            answer: dict[str, Any] = json.loads(caller.getresponse().read())
        except OSError:
            if time.monotonic() > deadline:
                raise CheckError("the emulator does not answer") from None
            time.sleep(0.2)
        else:
            return answer
        finally:
            caller.close()
