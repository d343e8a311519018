"""Start compose.yaml unchanged, with its monitoring, under a project name and on ports of its own."""

import json
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from deploy.checks import CheckError
from deploy.image.docker import Docker
from deploy.image.stand_in import build_stand_in
from deploy.stand import find_port, read
from deploy.tool import ROOT

IMAGE = "transactions-gateway:local"
PROJECT = "gateway-check"
_PATIENCE_SECONDS = 120
_SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]


@dataclass(frozen=True, slots=True)
class Site:
    """The running compose project.

    Attributes:
        docker: the daemon.
        base: the base image of the gateway's image.
        port: the gateway's port on 127.0.0.1; likewise `prometheus_port` and `grafana_port`.
        has_grafana: whether Grafana's image is available.
        stand_ins: the images that stand-ins replace.
        folder: temporary; its files `transactions` and `metrics` each hold a key with that read scope.
    """

    docker: Docker
    base: str
    port: int
    prometheus_port: int
    grafana_port: int
    has_grafana: bool
    stand_ins: Sequence[str]
    folder: Path

    def compose(self, *arguments: str) -> str:
        """Run compose for this project."""
        ports = {
            "PUBLISHED_PORT": self.port,
            "PROMETHEUS_PORT": self.prometheus_port,
            "GRAFANA_PORT": self.grafana_port,
        }
        options = ("--project-name", PROJECT, "--file", str(ROOT / "compose.yaml"))
        variables = {name: str(port) for name, port in ports.items()}
        return self.docker.compose(*options, "--profile", "monitoring", *arguments, **variables)

    def list_containers(self) -> list[dict[str, Any]]:
        """Describe each container of the project, including those that have exited."""
        label = f"label=com.docker.compose.project={PROJECT}"
        ids = self.docker.require("ps", "--all", "--quiet", "--filter", label).split()
        described: list[dict[str, Any]] = json.loads(self.docker.require("inspect", *ids))
        return described

    def describe(self, service: str) -> dict[str, Any]:
        """Describe the container of a service."""
        found = [
            each for each in self.list_containers() if each["Config"]["Labels"]["com.docker.compose.service"] == service
        ]
        if len(found) != 1:
            raise CheckError(f"compose.yaml: {service} has {len(found)} containers")
        return found[0]

    def await_gateway(self) -> None:
        """Wait until the gateway is ready, by its port and by the image's own health check.

        Raises:
            CheckError: it takes too long.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not (
            read(self.port, "/health/ready") and self.describe("gateway")["State"]["Health"]["Status"] == "healthy"
        ):
            if time.monotonic() > deadline:
                raise CheckError(f"the gateway is not ready:\n{self.compose('logs', '--no-color', '--tail=20')}")
            time.sleep(0.5)

    def measure_image(self) -> tuple[int, int]:
        """Return the unpacked size of the gateway's image in bytes, and how much of it is not in its base image."""
        whole, base = (
            int(self.docker.require("image", "inspect", "--format", "{{.Size}}", image)) for image in (IMAGE, self.base)
        )
        return whole, whole - base

    def create_key(self, scope: str) -> Path:
        """Create a key as compose.yaml describes, and return the file that holds it."""
        command = ("run", "--rm", "-T", "--no-deps", "keys", "create", "check", "--scope", f"{scope}:read")
        file = self.folder / scope
        file.write_text(self.compose(*command))
        return file


@contextmanager
def open_site(docker: Docker, folder: Path) -> Iterator[Site]:
    """Build the image and start everything; containers and volumes are removed when the block ends.

    Raises:
        CheckError: an image is not available, the build fails, or something does not start.
    """
    base = re.search(r"^ARG BASE=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    if base is None:
        raise CheckError("Dockerfile: no ARG BASE names the image that it begins with")
    images = [base[1], *sorted({service["image"] for service in _SERVICES.values()} - {IMAGE})]
    absent = [image for image in images if not _is_there(docker, image)]
    if absent and not docker.is_own:
        raise CheckError(f"these images are not to be had: {', '.join(absent)}")
    stand_ins = [image for image in absent if build_stand_in(docker, image)]
    has_grafana = _SERVICES["grafana"]["image"] not in absent
    # A private daemon has no default network to build in.
    network = ("--network", "host") if docker.is_own else ()
    docker.require("build", *network, "--tag", IMAGE, ROOT)
    site = Site(docker, base[1], find_port(), find_port(), find_port(), has_grafana, stand_ins, folder)
    try:
        # Remove what an earlier, killed check may have left in a shared daemon.
        site.compose("down", "--volumes")
        site.compose("up", "--detach", "gateway", "prometheus", *(["grafana"] if has_grafana else []))
        site.await_gateway()
        for scope in ("transactions", "metrics"):
            site.create_key(scope)
        yield site
    finally:
        site.compose("down", "--volumes", "--timeout", "5")


def _is_there(docker: Docker, image: str) -> bool:
    return docker.run("image", "inspect", image).returncode == 0 or docker.run("pull", "--quiet", image).returncode == 0
