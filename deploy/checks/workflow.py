"""Check the pipeline with GitHub's schemas, actionlint, and zizmor, which finds security faults."""

from deploy.tool import ROOT, get_program, require


def run() -> int:
    """Check each workflow with all three, and Dependabot's file; zizmor also requires actions to be pinned to commits.

    Raises:
        CheckError: one of them finds a fault.
    """
    folder = ROOT / ".github"
    files = sorted((folder / "workflows").glob("*.yml"))
    require(get_program("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", *files)
    require(get_program("actionlint"), *files)
    require(get_program("zizmor"), "--offline", "--quiet", "--persona", "pedantic", folder)
    require(get_program("check-jsonschema"), "--builtin-schema", "vendor.dependabot", folder / "dependabot.yml")
    return 3 * len(files) + 2
