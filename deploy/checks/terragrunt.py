"""Check Terragrunt's files: each unit of each environment sets exactly the variables of its root.

Terragrunt itself is in no package registry: this module only reads its files, and only the pipeline runs them.
"""

import re
from typing import Any

import hcl2  # type: ignore[import-not-found]  # only in .venv-deploy

from deploy.checks import CheckError
from deploy.terraform_program import TERRAFORM

ENVIRONMENTS = ("dev", "qa", "production")
UNITS = ("foundation", "database", "cluster", "function")
# Given by environment variables, TF_VAR_…: a secret, and the image that the pipeline has built.
GIVEN_OTHERWISE = {"database": {"initial_passwords"}, "function": {"image"}}


def run() -> int:
    """Check each unit of each environment.

    Raises:
        CheckError: a variable is not set, one is set that does not exist, or environments share a value.
    """
    shared = _name_inputs("environments/root.hcl")
    faults: list[str] = []
    count = 0
    for unit in UNITS:
        text = (TERRAFORM / f"environments/units/{unit}.hcl").read_text()
        given = _name_inputs(f"environments/units/{unit}.hcl") | shared | GIVEN_OTHERWISE.get(unit, set())
        blocks = _load(f"roots/{unit}/variables.tf")["variable"]
        variables = {name: body for each in blocks for name, body in each.items()}
        required = {name for name, body in variables.items() if "default" not in body}
        faults += [f"units/{unit}.hcl: {name} is not given" for name in sorted(required - given)]
        unknown = sorted(given - variables.keys())
        faults += [f"units/{unit}.hcl: {name} is no variable of roots/{unit}" for name in unknown]
        used = set(re.findall(r"local\.environment\.(\w+(?:\.\w+)?)", text))
        for environment in ENVIRONMENTS:
            missing = sorted(used - _name_locals(environment))
            faults += [f"{environment}/environment.hcl: {name} is missing" for name in missing]
            here = (TERRAFORM / f"environments/{environment}/{unit}/terragrunt.hcl").read_text()
            if f"units/{unit}.hcl" not in here or 'find_in_parent_folders("root.hcl")' not in here:
                faults.append(f"{environment}/{unit}/terragrunt.hcl: include root.hcl and units/{unit}.hcl")
            count += 1
    for name in ("name", "account_id", "cidr"):
        values = {load_locals(each)[name][0] for each in ENVIRONMENTS}
        if len(values) < len(ENVIRONMENTS):
            faults.append(f"environments: {name} is the same in two of them; each is on its own")
        count += 1
    if faults:
        raise CheckError("\n".join(faults))
    return count


def _load(path: str) -> dict[str, Any]:
    with (TERRAFORM / path).open() as file:
        loaded: dict[str, Any] = hcl2.load(file)
    return loaded


def load_locals(environment: str) -> dict[str, list[Any]]:
    """Return an environment's values, each in a list of one, as the HCL parser returns them."""
    found: dict[str, list[Any]] = _load(f"environments/{environment}/environment.hcl")["locals"][0]
    return found


def _name_locals(environment: str) -> set[str]:
    """Return the names of the values, and those of nested values, written with a dot as units do."""
    names = set()
    for name, (value,) in ((name, value) for name, value in load_locals(environment).items() if name[0] != "_"):
        names |= {name} | ({f"{name}.{inner}" for inner in value} if isinstance(value, dict) else set())
    return names


def _name_inputs(path: str) -> set[str]:
    return {name for name in _load(path)["inputs"][0] if not name.startswith("__")}
