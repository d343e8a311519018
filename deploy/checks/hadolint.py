"""hadolint: the Dockerfile is written as its makers advise."""

from deploy.tool import ROOT, get_program, require


def run() -> int:
    """Check the Dockerfile.

    Raises:
        CheckError: hadolint finds a fault of any weight.
    """
    files = sorted(ROOT.glob("Dockerfile*"))
    require(get_program("hadolint"), "--failure-threshold", "style", *files)
    return len(files)
