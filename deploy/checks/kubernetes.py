"""Check all rendered resources against Kubernetes' schemas, oldest and newest, and those of the custom resources."""

import json
from typing import Any

import kubernetes_validate  # type: ignore[import-not-found]  # only in .venv-deploy
import yaml

from deploy.chart import RELEASES, load_resources
from deploy.checks import CheckError
from deploy.tool import ROOT, WORK
from tests.node import install_packages

# Chart.yaml's kubeVersion and the newest known version.
_VERSIONS = ("1.30.0", "1.37.0")
# schemas/validate.mjs knows these; a resource of any other group is a mistake.
_CUSTOM = {"external-secrets.io/v1", "monitoring.coreos.com/v1", "networking.istio.io/v1"}


def run() -> int:
    """Validate each resource against its schema.

    Raises:
        CheckError: a resource is invalid or has no schema.
    """
    count = 0
    custom: list[dict[str, Any]] = []
    for release in RELEASES:
        for resource in load_resources(release):
            if resource["apiVersion"] in _CUSTOM:
                custom.append(resource)
            else:
                _check_own(release.name, resource)
                count += len(_VERSIONS)
    _check_custom(custom)
    for resource in yaml.safe_load_all((ROOT / "deploy/namespaces.yaml").read_text()):
        _check_own("namespaces.yaml", resource)
        count += len(_VERSIONS)
    return count + len(custom)


def _check_own(source: str, resource: dict[str, Any]) -> None:
    for version in _VERSIONS:
        try:
            kubernetes_validate.validate(resource, version, strict=True)
        except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
            name = f"{resource['kind']} {resource['metadata']['name']}"
            raise CheckError(f"{source}, {name}, Kubernetes {version}: {error}") from error


def _check_custom(resources: list[dict[str, Any]]) -> None:
    path = WORK / "custom.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(resources))
    try:
        folder = install_packages(ROOT / "deploy/schemas")
    except AssertionError as error:
        raise CheckError(str(error)) from error
    done = folder.run("validate.mjs", str(path))
    if done.returncode:
        raise CheckError(done.stderr)
