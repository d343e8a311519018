"""What the image and compose.yaml declare; only a build and a start can show whether they work."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

_ROOT = Path(__file__).parents[2]
_DOCKERFILE = (_ROOT / "Dockerfile").read_text()
_SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((_ROOT / "compose.yaml").read_text())["services"]
_OWN_IMAGE = "transactions-gateway:local"

every_service = pytest.mark.parametrize("name", sorted(_SERVICES))


def test_the_builder_sees_all_that_it_copies_and_packs() -> None:
    """.dockerignore admits every source of a COPY and every package of the wheel."""
    lines = (_ROOT / ".dockerignore").read_text().splitlines()
    let_through = {line[1:] for line in lines if line.startswith("!")}
    copied = {
        source
        for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", _DOCKERFILE, re.MULTILINE)
        for source in sources.split()
        if source != "."
    }
    wheel = tomllib.loads((_ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert copied
    assert all((_ROOT / name).exists() for name in copied | let_through)
    assert {Path(name).parts[0] for name in copied} | set(wheel["packages"]) <= let_through


def test_the_image_names_its_base_by_version_and_its_user_by_number() -> None:
    """The base image is a Python of one minor version, and the user is a number other than 0."""
    assert re.search(r"^ARG BASE=python:3\.\d+-slim-\w+$", _DOCKERFILE, re.MULTILINE)
    assert set(re.findall(r"^FROM (\S+)", _DOCKERFILE, re.MULTILINE)) == {"${BASE}"}
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", _DOCKERFILE, re.MULTILINE)


def test_a_released_image_is_one_that_lambda_takes() -> None:
    """The pipeline builds without attestation: with it, Docker pushes an image index, which Lambda does not accept."""
    workflow = yaml.safe_load((_ROOT / ".github/workflows/release.yml").read_text())
    scripts = "".join(step.get("run", "") for step in workflow["jobs"]["image"]["steps"]).replace("\\\n", "")
    builds = re.findall(r"docker build .*", scripts)
    assert builds
    assert all("--provenance=false" in build for build in builds)


@every_service
def test_a_service_can_change_nothing_but_its_volumes(name: str) -> None:
    """Every container has a read-only root, no capabilities but named ones, and no privilege escalation."""
    service = _SERVICES[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")
    assert set(service.get("cap_add", [])) <= ({"CHOWN", "FOWNER"} if name == "secrets" else set())
    assert "user" in service or service["image"] == _OWN_IMAGE
    assert service.get("user") != "root" or service["network_mode"] == "none"


@every_service
def test_a_service_is_reached_from_this_machine_alone(name: str) -> None:
    """Every published port is bound to loopback."""
    assert all(port.startswith("127.0.0.1:") for port in _SERVICES[name].get("ports", []))


@every_service
def test_an_image_of_others_is_fixed_to_a_release(name: str) -> None:
    """An image is the project's own, built by one service only, or has a full version tag."""
    image = _SERVICES[name]["image"]
    assert image == _OWN_IMAGE or re.search(r":v?\d+\.\d+\.\d+$", image)
    assert ("build" in _SERVICES[name]) == (name == "provision")


def test_no_secret_is_written_in_compose() -> None:
    """Every password is given as a file, and the gateway has only its reader's."""
    for service in _SERVICES.values():
        given = {key for key in service.get("environment", {}) if "PASSWORD" in key or "MONGO_URI" in key}
        assert all(key.endswith("_FILE") for key in given)
    assert _SERVICES["gateway"]["volumes"] == ["reader-secret:/run/secrets/reader:ro", "keys:/run/keys:ro"]


def test_the_secrets_belong_to_the_user_who_reads_them() -> None:
    """The passwords that the gateway's image reads belong to the user that it runs as."""
    user = re.search(r"^USER (\S+)$", _DOCKERFILE, re.MULTILINE)
    script = _SERVICES["secrets"]["command"][0]
    owners = re.findall(r"^provide (\S+) 400 (?:owner|reader)/password$", script, re.MULTILINE)
    assert user
    assert owners == [user[1]] * 2
    uid, _, gid = user[1].partition(":")
    assert f"install -d -o {uid} -g {gid} -m 700 /run/keys\n" in script


def test_keys_are_made_where_the_gateway_reads_them() -> None:
    """The `keys` service starts only on request and without a network; the gateway mounts its file read-only."""
    keys, gateway = _SERVICES["keys"], _SERVICES["gateway"]
    assert keys["profiles"] == ["tools"]
    assert keys["network_mode"] == "none"
    assert keys["volumes"] == ["keys:/run/keys"]
    assert keys["environment"]["GATEWAY_KEYS_FILE"] == gateway["environment"]["GATEWAY_KEYS_FILE"]
    # `docker compose run keys create …` passes arguments to this command.
    assert keys["entrypoint"] == ["gateway", "keys"]
    assert "keys:/run/keys:ro" in gateway["volumes"]


def test_the_key_of_the_monitoring_opens_the_metrics_alone() -> None:
    """Prometheus reads the one key its job created, with scope metrics:read, from the configured path."""
    job, prometheus = _SERVICES["metrics-key"], _SERVICES["prometheus"]
    assert re.findall(r"--scope (\S+)", job["command"][0]) == ["metrics:read"]
    assert job["environment"]["GATEWAY_KEYS_FILE"] == _SERVICES["gateway"]["environment"]["GATEWAY_KEYS_FILE"]
    (scrape,) = yaml.safe_load((_ROOT / "deploy/monitoring/prometheus.yml").read_text())["scrape_configs"]
    folder, _, name = scrape["authorization"]["credentials_file"].rpartition("/")
    assert f"mv key.new {name}\n" in job["command"][0]
    assert f"metrics-secret:{folder}" in job["volumes"]
    assert f"metrics-secret:{folder}:ro" in prometheus["volumes"]
    holders = {each for each, service in _SERVICES.items() if any("metrics-secret" in v for v in service["volumes"])}
    assert holders == {"secrets", "metrics-key", "prometheus"}


def test_the_monitoring_starts_only_when_asked_for() -> None:
    """Prometheus, its key and Grafana have the profile `monitoring`, and every file they mount exists."""
    services = [service for service in _SERVICES.values() if service.get("profiles") == ["monitoring"]]
    assert len(services) == 3
    mounted = [volume.split(":") for service in services for volume in service["volumes"] if volume.startswith("./")]
    assert len(mounted) == 5
    assert all((_ROOT / source).is_file() and mode == "ro" for source, _, mode in mounted)
