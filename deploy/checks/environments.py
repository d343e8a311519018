"""Check that chart, Terraform and pipeline agree on each environment: addresses, names, roles, issuer, node types."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from deploy.chart import CHART, ENVIRONMENTS
from deploy.checks import CheckError
from deploy.checks.terragrunt import GIVEN_OTHERWISE, load_locals
from deploy.tool import ROOT

# Matches the environment's own network; ranges for all public addresses, such as 0.0.0.0/0, have another form.
_OWN = re.compile(r"\b10\.\d+\.0\.0/16\b")
_AGREED = 6
# Cores of the node types that environments use; the cluster itself takes some on each node.
_CORES = {"m7g.large": 2, "m7g.xlarge": 4}
_CORES_OF_THE_CLUSTER = 0.5


def run() -> int:
    """Compare them; what an environment lacks counts as agreement.

    Raises:
        CheckError: they differ, so that the chart would not work with what Terraform creates.
    """
    faults = [fault for environment in ENVIRONMENTS for fault in _find_faults(environment)]
    faults += _find_pipeline_faults()
    if faults:
        raise CheckError("\n".join(faults))
    return _AGREED * len(ENVIRONMENTS) + 2


def _find_pipeline_faults() -> Iterator[str]:
    folder = ROOT / ".github/workflows"
    image = yaml.safe_load((folder / "release.yml").read_text())["jobs"]["image"]
    nodes = {load_locals(environment)["cluster"][0]["nodes"]["ami_type"] for environment in ENVIRONMENTS}
    is_arm = image["runs-on"].endswith("-arm")
    if any(("ARM_64" in each) != is_arm for each in nodes):
        yield f"release.yml builds on {image['runs-on']}, and the nodes are {sorted(nodes)}"
    for name in GIVEN_OTHERWISE["function"]:
        if f"TF_VAR_{name}" not in (folder / "environment.yml").read_text():
            yield f"environment.yml does not give TF_VAR_{name}, which the function needs"


def _find_faults(environment: str) -> Iterator[str]:
    text = (CHART / f"environments/{environment}.yaml").read_text()
    values: dict[str, Any] = yaml.safe_load(text)
    made = {name: value for name, (value,) in ((k, v) for k, v in load_locals(environment).items() if k[0] != "_")}
    place = f"deploy/helm/environments/{environment}.yaml and deploy/terraform/environments/{environment}"
    if (used := set(_OWN.findall(text))) != {made["cidr"]}:
        yield f"{place}: pods would speak with {sorted(used)}, and the VPC is {made['cidr']}"
    if (accounts := set(re.findall(r"arn:aws:\w+:[a-z0-9-]*:(\d{12}):", text))) != {made["account_id"]}:
        yield f"{place}: the accounts are {sorted(accounts)} and {made['account_id']}"
    role = f"arn:aws:iam::{made['account_id']}:role/{made['name']}-secrets"
    wanted = {"source": "aws", "path": made["name"], "aws": {"region": made["region"], "roleArn": role}}
    if {name: values["secrets"].get(name) for name in wanted} != wanted:
        yield f"{place}: the secrets are {wanted}"
    wanted_cores = _read_cores(values["resources"]["requests"]["cpu"]) + _CORES_OF_THE_CLUSTER
    if any(_CORES[kind] < wanted_cores for kind in made["cluster"]["nodes"]["instance_types"]):
        yield f"{place}: no node has the {wanted_cores} cores that a pod and the cluster's own need"
    if values["ingress"]["host"] != made["cluster"]["domain"]["name"]:
        yield f"{place}: the hosts are {values['ingress']['host']} and {made['cluster']['domain']['name']}"
    jwt = made["function"]["jwt"]
    given = {name: values["settings"].get(f"GATEWAY_JWT_{name.upper()}") for name in ("issuer", "audience", "jwks")}
    if any(given.values()) and given != jwt:
        yield f"{place}: tokens are those of {given} and of {jwt}"


def _read_cores(quantity: str) -> float:
    return int(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)
