"""The Compose Specification's schema holds for compose.yaml."""

from deploy.tool import ROOT, get_program, require


def run() -> int:
    """Check every file of compose.

    Raises:
        CheckError: one does not fit.
    """
    files = sorted(ROOT.glob("compose*.yaml"))
    require(get_program("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", *files)
    return len(files)
