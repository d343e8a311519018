"""Find Terraform and its providers on this machine. Providers are not downloaded if there is a local mirror."""

import os
import shutil
from pathlib import Path

from deploy.checks import CheckError
from deploy.tool import ROOT, WORK

TERRAFORM = ROOT / "deploy/terraform"
MIRROR_VARIABLE = "TERRAFORM_MIRROR"
# Where Terraform itself looks for providers, and where images of development machines keep them.
_USUAL = (
    Path.home() / ".terraform.d/plugins",
    Path("/usr/local/share/terraform/plugins"),
    Path("/usr/share/terraform/plugins"),
    Path("/opt/tf-plugins"),
)
_PROVIDER = "registry.terraform.io/hashicorp/aws"


def find_mirror() -> Path | None:
    """Return the mirror that holds the AWS provider: TERRAFORM_MIRROR or a usual folder; None to download it."""
    given = os.environ.get(MIRROR_VARIABLE)
    places = (Path(given),) if given else _USUAL
    return next((place for place in places if (place / _PROVIDER).is_dir()), None)


def get_terraform() -> tuple[str, ...]:
    """Return the command that runs Terraform, with the mirror if there is one.

    Raises:
        CheckError: Terraform is missing.
    """
    program = shutil.which("terraform")
    if program is None:
        raise CheckError("terraform is missing: install 1.11 or later (developer.hashicorp.com/terraform/install)")
    WORK.mkdir(parents=True, exist_ok=True)
    configuration = WORK / "terraform.rc"
    mirror = find_mirror()
    source = f'filesystem_mirror {{\n    path = "{mirror}"\n  }}' if mirror else "direct {}"
    configuration.write_text(f"provider_installation {{\n  {source}\n}}\n")
    # CHECKPOINT_DISABLE: otherwise Terraform asks HashiCorp whether there is a newer version.
    return ("env", f"TF_CLI_CONFIG_FILE={configuration}", "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", program)
