"""Run yamllint over hand-written YAML. It must not read Helm's templates, which other checks see rendered."""

from deploy.tool import ROOT, get_program, require


def run() -> int:
    """Check the files that git tracks, and new ones that it does not ignore.

    Raises:
        CheckError: yamllint finds a fault.
    """
    listed = require("git", "ls-files", "--cached", "--others", "--exclude-standard", "*.yaml", "*.yml").splitlines()
    files = [name for name in listed if not name.startswith("deploy/helm/templates/") and (ROOT / name).exists()]
    require(get_program("yamllint"), "--strict", *files)
    return len(files)
