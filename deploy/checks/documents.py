"""docs/deploy.md names files that are there, and the commands that make and the pipeline have."""

import re

from deploy.checks import CheckError
from deploy.tool import ROOT


def run() -> int:
    """Follow each link, and find each command of make.

    Raises:
        CheckError: a file or a target is missing.
    """
    page = ROOT / "docs/deploy.md"
    text = page.read_text()
    links = set(re.findall(r"\]\(([^)#:]+)\)", text))
    workflows = "".join(path.read_text() for path in (ROOT / ".github/workflows").glob("*.yml"))
    targets = set(re.findall(r"\bmake ([a-z-]+)", text)) | set(re.findall(r"- run: make ([a-z-]+)", workflows))
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    faults = [
        f"docs/deploy.md links to {link}, which is not there"
        for link in sorted(links)
        if not (page.parent / link).exists()
    ]
    faults += [f"make {target} is named, and the Makefile has no such target" for target in sorted(targets - known)]
    if faults:
        raise CheckError("\n".join(faults))
    return len(links) + len(targets)
