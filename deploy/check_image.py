"""Builds the image, starts compose.yaml, and asks what runs: `make check-image`, on a machine with Docker.

Where no registry of images is reached, stand-ins (deploy/stand_in.py) take the places of the images of others.
"""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from deploy.chart import CHART
from deploy.checks import CheckError
from deploy.docker import open_docker
from deploy.emulator import get_emulator
from deploy.site import IMAGE, PROJECT, Site, open_site
from deploy.stand import find_port, read
from deploy.tool import ROOT, require

_QUESTIONS = 8
_PAGES = ("/", "/docs", "/graphql")
_PATIENCE_SECONDS = 60
_STOP_SECONDS = 30
_BUILD_TOOLS = ("cc", "gcc", "g++", "make", "git", "uv", "node", "npm")
_LABELS = ("title", "description", "licenses")
_OK = 200
# What a process of the gateway's container sees; it runs there.
_LOOK = f"""
import json, os, pathlib, shutil
def is_writable(folder):
    try:
        pathlib.Path(folder, "written").touch()
    except OSError:
        return False
    return True
states = [path.read_text() for path in pathlib.Path("/proc").glob("[0-9]*/status")]
def find(name):
    return sorted({{line.split()[1] for state in states for line in state.splitlines() if line.startswith(name)}})
print(json.dumps({{
    "users": find("Uid:"),
    "capabilities": find("CapEff:"),
    "processes": sum("serve" in path.read_text() or "spawn_main" in path.read_text()
                     for path in pathlib.Path("/proc").glob("[0-9]*/cmdline")),
    "writable": [folder for folder in ("/", "/etc/gateway", "/opt/gateway", "/run/keys") if is_writable(folder)],
    "tools": [name for name in {_BUILD_TOOLS} if shutil.which(name)],
}}))
"""
_READ_SECRETS = """
import json, pathlib
print(json.dumps([path.read_text().strip() for path in pathlib.Path("/secrets").rglob("*") if path.is_file()]))
"""


def main() -> int:
    """Run all checks and print how many facts each has proven; exit code 1 for a fault."""
    # The daemon and the containers are ended on the way out.
    signal.signal(signal.SIGTERM, _leave)
    failed = 0
    try:
        with open_docker() as docker, tempfile.TemporaryDirectory() as folder:
            started = time.monotonic()
            with open_site(docker, Path(folder)) as site:
                _tell("built and started", len(site.list_containers()), started)
                for name, check in _CHECKS.items():
                    started = time.monotonic()
                    try:
                        _tell(name, sum(1 for _ in check(site)), started)
                    except CheckError as error:
                        failed += 1
                        sys.stdout.write(f"{name:<22} FAILED\n{error}\n")
                if site.stand_ins:
                    sys.stdout.write(f"stand-ins for: {', '.join(site.stand_ins)}\n")
                if not site.has_grafana:
                    sys.stdout.write("Grafana has not run: its image is not to be had, and no package holds it\n")
    except CheckError as error:
        sys.stdout.write(f"{error}\n")
        return 1
    return int(failed > 0)


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)


def _tell(name: str, count: int, started: float) -> None:
    sys.stdout.write(f"{name:<22} {count:>5} passed {time.monotonic() - started:>6.1f} s\n")
    sys.stdout.flush()


def _prove(*facts: tuple[object, str]) -> Iterator[str]:
    """Give the facts that hold.

    Raises:
        CheckError: one does not; the message is the fact.
    """
    for holds, fact in facts:
        if not holds:
            raise CheckError(f"not so: {fact}")
        yield fact


def _check_image(site: Site) -> Iterator[str]:
    """The image says what it is, and needs neither root nor a shell."""
    config = json.loads(site.docker.require("image", "inspect", IMAGE))[0]["Config"]
    labels = {f"org.opencontainers.image.{name}" for name in _LABELS}
    yield from _prove(
        (labels <= (config["Labels"] or {}).keys(), f"the image has the labels {', '.join(sorted(labels))}"),
        (config["User"] == "10001:10001", "its user is a number other than 0"),
        (config["Entrypoint"] == ["gateway"], "it starts without a shell"),
        (config["Healthcheck"]["Test"][0] == "CMD", "its health is asked without a shell"),
    )
    seen = json.loads(site.compose("exec", "-T", "gateway", "python", "-c", _LOOK))
    yield from _prove(
        (seen["users"] == ["10001"], f"no process is root: {seen['users']}"),
        (seen["capabilities"] == ["0" * 16], f"no process has a capability: {seen['capabilities']}"),
        (not seen["writable"], f"nothing but /tmp can be written to: {seen['writable']}"),
        (not seen["tools"], f"there are no build tools: {seen['tools']}"),
        (seen["processes"] > 2, f"a parent and several workers serve: {seen['processes']} processes"),  # noqa: PLR2004
    )


def _check_confinement(site: Site) -> Iterator[str]:
    """Docker has taken every limit that compose.yaml states."""
    for container in site.list_containers():
        host, name = container["HostConfig"], container["Name"]
        addresses = {each["HostIp"] for ports in (host["PortBindings"] or {}).values() for each in ports}
        yield from _prove(
            (host["ReadonlyRootfs"], f"{name} has a read-only root"),
            (host["CapDrop"] == ["ALL"], f"{name} has no capability but those that are named"),
            ("no-new-privileges:true" in host["SecurityOpt"], f"{name} cannot gain rights"),
            (addresses <= {"127.0.0.1"}, f"{name} is reached from this machine alone"),
        )


def _check_secrets(site: Site) -> Iterator[str]:
    """No password or key is in the image, its history, a container's description or a log."""
    names = ("database-secrets", "metrics-secret", "owner-secret", "reader-secret")
    mounts = [option for name in names for option in ("--volume", f"{PROJECT}_{name}:/secrets/{name}:ro")]
    # Root, for each belongs to somebody else.
    command = ("run", "--rm", "--network", "none", "--user", "0", *mounts, "--entrypoint", "python", IMAGE)
    secrets: list[str] = json.loads(site.docker.require(*command, "-c", _READ_SECRETS))
    secrets += [(site.folder / scope).read_text().strip() for scope in ("transactions", "metrics")]
    places = {
        "docker history": site.docker.require("history", "--no-trunc", IMAGE),
        "docker image inspect": site.docker.require("image", "inspect", IMAGE),
        "docker inspect": json.dumps(site.list_containers()),
        "the containers' logs": site.compose("logs", "--no-color"),
    }
    yield from _prove((len(secrets) > len(names) and all(secrets), "there are secrets to look for"))
    for place, text in places.items():
        for secret in secrets:
            yield from _prove((secret not in text, f"a secret is not in {place}"))


def _check_answers(site: Site) -> Iterator[str]:
    """The four paths, GraphQL and metrics answer as `helm test` asks them, and each page is there."""
    keys = (site.folder / "transactions", site.folder / "metrics")
    # A running gateway follows a new key within a second.
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while _ask(site.port, "/transactions/1/card/Visa", keys[0])[0] != _OK and time.monotonic() < deadline:
        time.sleep(0.2)
    answered = require(sys.executable, CHART / "files/ask.py", "127.0.0.1", str(site.port), *keys)
    yield from _prove((answered.count("ok ") == _QUESTIONS, f"all of\n{answered} is as it should be"))
    yield from answered.splitlines()
    _, text = _ask(site.port, "/transactions/90/card/Visa", keys[0])
    yield from _prove((json.loads(text)["count"] > 0, "the database has transactions"))
    for page in _PAGES:
        status, text = _ask(site.port, page)
        yield from _prove((status == _OK and "<html" in text, f"{page} is a page: {status}"))


def _ask(port: int, path: str, key_file: Path | None = None) -> tuple[int, str]:
    caller = HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Accept": "application/json" if key_file else "text/html"}
    if key_file:
        headers["X-API-Key"] = key_file.read_text().strip()
    try:
        caller.request("GET", path, headers=headers)
        answer = caller.getresponse()
        return answer.status, answer.read().decode()
    finally:
        caller.close()


def _check_monitoring(site: Site) -> Iterator[str]:
    """Prometheus scrapes the gateway with its key and evaluates each rule; Grafana has the dashboard."""
    deadline = time.monotonic() + 2 * _PATIENCE_SECONDS
    while True:
        found = json.loads(read(site.prometheus_port, "/api/v1/query?query=up") or "{}")
        rules = json.loads(read(site.prometheus_port, "/api/v1/rules") or "{}")
        states = [rule["health"] for group in rules.get("data", {}).get("groups", []) for rule in group["rules"]]
        is_up = [each["value"][1] for each in found.get("data", {}).get("result", [])] == ["1"]
        if (is_up and states and "unknown" not in states) or time.monotonic() > deadline:
            break
        time.sleep(1)
    yield from _prove((is_up, "Prometheus scrapes the gateway"), (states, "Prometheus has the rules"))
    yield from _prove(*((state == "ok", f"rule {number} is evaluated: {state}") for number, state in enumerate(states)))
    if site.has_grafana:
        board = read(site.grafana_port, "/api/dashboards/uid/transactions-gateway")
        yield from _prove((board, "Grafana has the dashboard"))


def _check_function(site: Site) -> Iterator[str]:
    """The same image answers an event of an HTTP API under AWS Lambda's runtime client and emulator."""
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
            yield from _prove((answer["statusCode"] == status, f"the function answers {path}: {answer}"))
    finally:
        site.docker.run("rm", "--force", container)


def _invoke(port: int, path: str, key: str) -> dict[str, Any]:
    """Hand an event over, in the payload format 2.0 of an HTTP API, and give the answer."""
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


def _check_stop(site: Site) -> Iterator[str]:
    """SIGTERM under load loses no request, and the gateway ends by itself; started again, it serves."""
    gateway = site.describe("gateway")["Id"]
    key = (site.folder / "transactions").read_text().strip()
    script = (ROOT / "deploy/load.py").read_text()
    client = ("run", "--rm", "--network", f"container:{gateway}", "--entrypoint", "python", IMAGE, "-c", script)
    with site.docker.start(*client, "5000", key) as load:
        if load.stdout is None or load.stdout.readline() != "begun\n":
            raise CheckError(f"nothing asks the gateway: {load.communicate()}")
        site.docker.require("stop", "--time", str(_STOP_SECONDS), gateway)
        try:
            said, faults = load.communicate(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            load.kill()
            raise CheckError("the port does not refuse after the stop") from None
    if load.returncode:
        raise CheckError(f"the load broke off: {faults}")
    counts: dict[str, int] = json.loads(said)
    refused = counts.pop("refused")
    yield from _prove(
        (counts.keys() == {str(_OK)}, f"every request that was sent is answered by 200: {counts}"),
        (refused > 0, "then the port refuses"),
    )
    sys.stdout.write(
        f"  SIGTERM among {counts[str(_OK)]} answered requests of {refused} clients, until all are refused\n"
    )
    state = site.describe("gateway")["State"]
    yield from _prove((state["ExitCode"] == 0, f"the gateway ends by itself: {state['ExitCode']}"))
    site.docker.require("start", gateway)
    site.await_gateway()
    yield "it serves again"


_CHECKS: dict[str, Callable[[Site], Iterator[str]]] = {
    "image": _check_image,
    "confinement": _check_confinement,
    "secrets": _check_secrets,
    "answers": _check_answers,
    "monitoring": _check_monitoring,
    "function": _check_function,
    "stop": _check_stop,
}


if __name__ == "__main__":
    sys.exit(main())
