"""Check with Terraform the format, the validity of each AWS module and root, and the modules' tests (mocked provider).

What needs the Atlas provider is not validated: atlas.py checks its arguments against the published schema. tflint,
tfsec and trivy are in no package registry; checkov's rules replace them (checkov.py).
"""

import re
import shutil

from deploy.checks import CheckError
from deploy.terraform_program import TERRAFORM, get_terraform
from deploy.tool import WORK, require

_ATLAS = frozenset({"mongodb-atlas", "database"})
_PASSED = re.compile(r"^Success! (\d+) passed", re.MULTILINE)


def run() -> int:
    """Check all; the format, each valid folder and each run of a test count as checks.

    Raises:
        CheckError: a folder is not formatted or not valid, or a test fails.
    """
    terraform = get_terraform()
    require(*terraform, "fmt", "-check", "-recursive", "-diff", TERRAFORM)
    copy = WORK / "terraform-tests"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(TERRAFORM, copy, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    count = 1
    for folder in sorted([*(copy / "modules").iterdir(), *(copy / "roots").iterdir()]):
        if folder.name in _ATLAS:
            continue
        require(*terraform, "init", "-backend=false", "-input=false", "-no-color", folder=folder)
        require(*terraform, "validate", "-no-color", folder=folder)
        count += 1
        if folder.parent.name == "modules":
            found = _PASSED.search(require(*terraform, "test", "-no-color", folder=folder))
            if not found:
                raise CheckError(f"{folder.name} has no test; put one into modules/{folder.name}/tests")
            count += int(found[1])
    return count
