"""Check with Helm that the chart renders for each environment and choice, and refuses mistaken values."""

import re
from typing import Any

from deploy.chart import CHART, PLACED, RELEASES, Release, attempt, get_helm, load_resources, render
from deploy.checks import CheckError
from deploy.tool import require

# For each mistake: its name, the values, and words of the refusal, which name the value.
_MISTAKES: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("an image that is not named", {"image": {"repository": "gateway"}}, "image"),
    ("two images", {"image": {"repository": "a", "tag": "1", "digest": f"sha256:{'0' * 64}"}}, "image"),
    ("a tag that moves", {"image": {"repository": "gateway", "tag": "latest"}}, "tag"),
    ("a misspelt key", {"image": {"repository": "gateway", "tag": "1", "pullPolicy": "Never"}}, "pullPolicy"),
    ("a setting that does not exist", {"settings": {"GATEWAY_WORKERS": 2}}, "GATEWAY_WORKERS"),
    ("a setting out of its range", {"settings": {"GATEWAY_MAX_DEPTH": 1}}, "GATEWAY_MAX_DEPTH"),
    ("a setting that YAML took for true", {"settings": {"GATEWAY_INTROSPECTION": True}}, "GATEWAY_INTROSPECTION"),
    ("a secret among the settings", {"settings": {"GATEWAY_RATE_STORE": "redis://:x@redis"}}, "GATEWAY_RATE_STORE"),
    ("a secret among the OTEL_ variables", {"otel": {"OTEL_EXPORTER_OTLP_HEADERS": "key=x"}}, "OTLP_HEADERS"),
    ("no way to the database", {"network": {"mongodb": []}}, "mongodb"),
    ("a way to everybody", {"network": {"mongodb": [{}]}}, "mongodb"),
    ("no way to the issuer", {"network": {"jwks": []}}, "jwks"),
    ("no way to the rate store", {"network": {"redis": []}}, "redis"),
    ("no way to the collector", {"settings": {"GATEWAY_TRACING": "on"}}, "traces"),
    ("nobody who may call", {"network": {"callers": []}}, "callers"),
    ("no way for Prometheus", {"network": {"prometheus": []}}, "prometheus"),
    ("a proxy that is not trusted", {"settings": {"GATEWAY_TRUSTED_PROXIES": None}}, "GATEWAY_TRUSTED_PROXIES"),
    ("an ingress without TLS", {"ingress": {"kind": "nginx"}}, "tlsSecret"),
    ("a load balancer without a certificate", {"ingress": {"alb": {"certificateArn": ""}}}, "certificateArn"),
    ("an ingress that does not exist", {"ingress": {"kind": "traefik"}}, "kind"),
    ("a Vault without TLS", {"secrets": {"source": "vault", "vault": {"server": "http://vault"}}}, "server"),
    ("no role in AWS", {"secrets": {"aws": {"roleArn": ""}}}, "roleArn"),
    ("a password in the values", {"secrets": {"password": "x"}}, "password"),
    ("a measure that nobody scrapes", {"monitoring": {"enabled": False}}, "enabled"),
    ("scrapes too seldom for the rules", {"monitoring": {"interval": "120s"}}, "interval"),
    ("a sleep that Kubernetes before 1.33 refuses", {"stop": {"sleepSeconds": 0}}, "sleepSeconds"),
    ("a node's label that is no text", {"nodeSelector": {"spot": True}}, "nodeSelector"),
    ("no limit of memory", {"resources": {"limits": {"memory": None}}}, "memory"),
)
# What the schema cannot express and templates/refusal.yaml refuses; the second item is the release's name.
_CONTRADICTIONS: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    ("a name that no Service may have", "2nd-gateway", {}, "2nd-gateway"),
    ("a name with a dot", "gateway.eu", {}, "gateway.eu"),
    ("a name that leaves no room for a Job's", "g" * 50, {}, "49"),
    ("more pods than the most", "gateway", {"autoscaling": {"minReplicas": 13}}, "maxReplicas"),
    ("ports that end before they begin", "gateway", {"network": {"mongodbPorts": {"last": 1000}}}, "mongodbPorts"),
)


def run() -> int:
    """Lint and render each release, and check that each mistake is refused.

    Raises:
        CheckError: Helm finds a fault, or accepts a mistake.
    """
    for release in RELEASES:
        require(get_helm(), "lint", "--strict", "--quiet", CHART, *release.options)
        render(release)
    for name, values, words in _MISTAKES:
        done = attempt(Release(name, "production", values))
        if not done.returncode:
            raise CheckError(f"deploy/helm/values.schema.json takes {name}: {values}")
        if not re.search(rf"schema.*{words}", done.stderr, re.DOTALL):
            raise CheckError(f"deploy/helm/values.schema.json refuses {name} without naming {words}:\n{done.stderr}")
    for mistake, name, values, words in _CONTRADICTIONS:
        done = attempt(Release(mistake, "production", values), name)
        if not done.returncode or words not in done.stderr:
            raise CheckError(f"deploy/helm/templates/refusal.yaml does not refuse {mistake}:\n{done.stderr}")
    return 2 * len(RELEASES) + len(_MISTAKES) + len(_CONTRADICTIONS) + _check_placement() + _check_test()


def _check_placement() -> int:
    """Check that every pod, jobs' pods included, is placed as the values say; return how many there are."""
    pods = [
        resource["spec"] if resource["kind"] == "Pod" else resource["spec"]["template"]["spec"]
        for resource in load_resources(PLACED)
        if resource["kind"] in {"Deployment", "Job", "Pod"}
    ]
    for pod in pods:
        if {name: pod.get(name) for name in PLACED.values} != PLACED.values:
            raise CheckError(f"deploy/helm does not place every pod where nodeSelector and tolerations say: {pod}")
    return len(pods)


def _check_test() -> int:
    """Check that the pod of `helm test --logs` is kept once it ends, for its log, and deleted before the next test."""
    for release in RELEASES:
        tests = [each for each in load_resources(release) if "helm.sh/hook" in each["metadata"].get("annotations", {})]
        policies = [each["metadata"]["annotations"].get("helm.sh/hook-delete-policy") for each in tests]
        if policies != ["before-hook-creation"]:
            raise CheckError(
                f"{release.name}: deploy/release.py has Helm read the log of a pod that goes by {policies}"
            )
    return len(RELEASES)
