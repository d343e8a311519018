"""Check compose.yaml against the Compose Specification's schema."""

from deploy.tool import ROOT, get_program, require


def run() -> int:
    """Check every Compose file.

    Raises:
        CheckError: a file violates the schema.
    """
    files = sorted(ROOT.glob("compose*.yaml"))
    require(get_program("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", *files)
    return len(files)
