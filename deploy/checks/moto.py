"""Apply each AWS root to moto, a stand-in for AWS, plan it again without a change, and destroy it.

What moto does not support is left out: EKS add-ons and access entries, HTTP API names. terraform.py tests their plans.
"""

import json
import secrets
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.checks import CheckError
from deploy.terraform_program import TERRAFORM, get_terraform
from deploy.tool import WORK, get_program, require

ROOTS = ("foundation", "cluster", "function")
_COMMON = {"name": "transactions-qa", "region": "eu-central-1", "account_id": "123456789012"}
_LOCAL_STATE = 'terraform {\n  backend "local" {}\n}\n'
_SECONDS = 60


def run() -> int:
    """Apply, plan again and destroy; each root counts as three checks.

    Raises:
        CheckError: a step fails, or the second plan has a change.
    """
    copy = WORK / "terraform"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(TERRAFORM, copy, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    shutil.copy(copy / "tests/moto_override.tf.txt", copy / "modules/eks/moto_override.tf")
    given: dict[str, dict[str, Any]] = json.loads((copy / "tests/moto.json").read_text())
    with _run_moto() as url:
        variables = {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "moto",
            "AWS_SECRET_ACCESS_KEY": secrets.token_hex(8),
            "AWS_REGION": _COMMON["region"],
        }
        outputs: dict[str, Any] = {}
        for root in ROOTS:
            folder = copy / "roots" / root
            (folder / "backend_override.tf").write_text(_LOCAL_STATE)
            wanted = {name for name in outputs if f'variable "{name}"' in (folder / "variables.tf").read_text()}
            values = {**_COMMON, **given[root], **{name: outputs[name] for name in wanted}}
            (folder / "terraform.tfvars.json").write_text(json.dumps(values))
            _terraform(folder, variables, "init")
            _terraform(folder, variables, "apply", "-auto-approve")
            _terraform(folder, variables, "plan", "-detailed-exitcode")
            said = json.loads(require(*get_terraform(), "output", "-json", folder=folder, variables=variables))
            outputs |= {name: output["value"] for name, output in said.items()}
        for root in reversed(ROOTS):
            _terraform(copy / "roots" / root, variables, "destroy", "-auto-approve")
    return 3 * len(ROOTS)


def _terraform(folder: Path, variables: dict[str, str], command: str, *options: str) -> None:
    require(*get_terraform(), command, "-input=false", "-no-color", *options, folder=folder, variables=variables)


@contextmanager
def _run_moto() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    # Roles use policies that AWS manages.
    command = ["env", "MOTO_IAM_LOAD_MANAGED_POLICIES=true", str(get_program("moto_server")), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603 - as above
        try:
            _await(url, process)
            yield url
        finally:
            process.terminate()


def _await(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{url}/moto-api/", timeout=_SECONDS).close()  # noqa: S310 - of our own process
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise CheckError(f"moto_server does not answer at {url}")
