"""Run hadolint over the Dockerfile."""

from deploy.tool import ROOT, get_program, require


def run() -> int:
    """Check the Dockerfile.

    Raises:
        CheckError: hadolint finds a fault of any severity.
    """
    files = sorted(ROOT.glob("Dockerfile*"))
    require(get_program("hadolint"), "--failure-threshold", "style", *files)
    return len(files)
