"""The pipeline: GitHub's schema, actionlint, and zizmor, which knows how pipelines are attacked."""

from deploy.tool import ROOT, get_program, require


def run() -> int:
    """Check each workflow by each of the three; zizmor also sees that actions are named by their commits.

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
