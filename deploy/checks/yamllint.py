"""yamllint: YAML that people write is written in one way; what Helm fills in is checked once it is filled."""

from deploy.tool import ROOT, get_program, require


def run() -> int:
    """Check the files that git knows.

    Raises:
        CheckError: yamllint finds a fault.
    """
    listed = require("git", "ls-files", "--cached", "--others", "--exclude-standard", "*.yaml", "*.yml").splitlines()
    files = [name for name in listed if not name.startswith("deploy/helm/templates/") and (ROOT / name).exists()]
    require(get_program("yamllint"), "--strict", *files)
    return len(files)
