"""Check that the chart agrees with the gateway: settings, probes, shutdown times, room in /tmp and pod selectors."""

import json
import re
from collections.abc import Iterator
from typing import Any

from deploy.chart import CHART, RELEASES, Release, load_resources
from deploy.checks import CheckError
from deploy.exported import load_exported
from deploy.tool import ROOT

# The chart sets the first three itself, the rate store by its file; no environment has a file for the last.
_NOT_VALUES = {
    "GATEWAY_KEYS_FILE",
    "GATEWAY_RATE_STORE_FILE",
    "GATEWAY_DRAIN_SECONDS",
    "GATEWAY_RATE_STORE",
    "GATEWAY_TRUSTED_DOCUMENTS",
}
# The most that a worker keeps under /tmp (docs/operations.md, Metrics).
_WORKER_MEBIBYTES = 8


def run() -> int:
    """Compare the chart with the gateway.

    Raises:
        CheckError: they differ.
    """
    faults = list(_find_setting_faults())
    for release in RELEASES:
        faults += [f"{release.name}: {fault}" for fault in _find_release_faults(release)]
    if faults:
        raise CheckError("\n".join(faults))
    return len(load_exported()["settings"]) + 8 * len(RELEASES)


def _find_setting_faults() -> Iterator[str]:
    schema = json.loads((CHART / "values.schema.json").read_text())["properties"]["settings"]["properties"]
    settings: dict[str, str] = load_exported()["settings"]
    for name in sorted(settings.keys() - _NOT_VALUES - schema.keys()):
        yield f"values.schema.json does not know {name}, which accepts {settings[name]}"
    for name in sorted(schema.keys() - (settings.keys() - _NOT_VALUES)):
        yield f"values.schema.json takes {name}, which the gateway or the chart does not"
    for name in schema.keys() & settings.keys():
        wanted = _build_property(settings[name])
        if wanted and wanted != schema[name]:
            yield f"values.schema.json: {name} accepts {settings[name]}, which is {json.dumps(wanted)}"


def _build_property(accepts: str) -> dict[str, Any] | None:
    """Return the schema of a setting, or None if it is free text."""
    if found := re.fullmatch(r"a whole number from (\d+) to (\d+)", accepts):
        return {"type": "integer", "minimum": int(found[1]), "maximum": int(found[2])}
    if re.fullmatch(r"\w+( or \w+)+", accepts):
        return {"enum": accepts.split(" or ")}
    return None


def _find_release_faults(release: Release) -> Iterator[str]:
    resources = {(each["kind"], each["metadata"]["name"]): each for each in load_resources(release)}
    template = resources["Deployment", "gateway"]["spec"]["template"]
    container = template["spec"]["containers"][0]
    served = json.loads((ROOT / "docs/openapi.json").read_text())["paths"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        if (path := container[probe]["httpGet"]["path"]) not in served:
            yield f"{probe} asks for {path}, which is not served"
    variables = {each["name"]: each.get("value") for each in container["env"]}
    if unknown := {name for name in variables if name.startswith("GATEWAY_")} - load_exported()["settings"].keys():
        yield f"the container has {unknown}, which would stop the start"
    sleep = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    needed = sleep + int(variables["GATEWAY_DRAIN_SECONDS"] or 0) + load_exported()["close_seconds"]
    if (grace := template["spec"]["terminationGracePeriodSeconds"]) < needed:
        yield f"a stop may take {needed} s, and the pod is killed after {grace}"
    yield from _find_room_faults(template["spec"])
    for kind, spec in _find_selectors(resources):
        if not spec.items() <= template["metadata"]["labels"].items():
            yield f"{kind} selects {spec}, which are not the pods' labels"
    port = container["ports"][0]["containerPort"]
    policy = resources["NetworkPolicy", "gateway"]["spec"]
    if any(each["port"] != port for rule in policy["ingress"] for each in rule["ports"]):
        yield f"the NetworkPolicy opens another port than {port}"
    if any(each.get("enableServiceLinks", True) for each in _find_pods(resources)):
        yield "a pod gets variables of the Services, which the gateway takes for settings"
    if any(each["containers"][0]["imagePullPolicy"] != "IfNotPresent" for each in _find_pods(resources)):
        yield "a pod asks a registry for an image that its node has, and no registry has a laptop's"


def _find_room_faults(pod: dict[str, Any]) -> Iterator[str]:
    workers = int(pod["containers"][0]["args"][-1])
    for volume in pod["volumes"]:
        room = volume.get("emptyDir", {}).get("sizeLimit")
        if room and int(room.removesuffix("Mi")) < _WORKER_MEBIBYTES * workers:
            yield f"{workers} workers may fill the {room} of /tmp, and the next finds no room for its counts"


def _find_selectors(resources: dict[tuple[str, str], dict[str, Any]]) -> Iterator[tuple[str, dict[str, str]]]:
    yield "the Service", resources["Service", "gateway"]["spec"]["selector"]
    for kind, path in (
        ("Deployment", "selector"),
        ("PodDisruptionBudget", "selector"),
        ("NetworkPolicy", "podSelector"),
    ):
        yield f"the {kind}", resources[kind, "gateway"]["spec"][path]["matchLabels"]


def _find_pods(resources: dict[tuple[str, str], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for (kind, _), resource in resources.items():
        if kind in {"Deployment", "Job"}:
            yield resource["spec"]["template"]["spec"]
        elif kind == "Pod":
            yield resource["spec"]
