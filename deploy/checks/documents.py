"""Check that the links and make targets in the pages on deployment, and the pipeline's make targets, exist."""

import re

from deploy.checks import CheckError
from deploy.tool import ROOT

_PAGES = ("cost", "deploy", "operations")


def run() -> int:
    """Check each link and each make target.

    Raises:
        CheckError: a file or a target is missing.
    """
    pages = {path: path.read_text() for path in (ROOT / f"docs/{name}.md" for name in _PAGES)}
    links = {(path, link) for path, text in pages.items() for link in re.findall(r"\]\(([^)#:]+)\)", text)}
    workflows = "".join(path.read_text() for path in (ROOT / ".github/workflows").glob("*.yml"))
    named = "".join(pages.values())
    targets = {
        *re.findall(r"(?:^|`)make ([a-z-]+)", named, re.MULTILINE),
        *re.findall(r"- run: make ([a-z-]+)", workflows),
    }
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    faults = [
        f"docs/{path.name} links to {link}, which is not there"
        for path, link in sorted(links)
        if not (path.parent / link).exists()
    ]
    faults += [f"make {target} is named, and the Makefile has no such target" for target in sorted(targets - known)]
    if faults:
        raise CheckError("\n".join(faults))
    return len(links) + len(targets)
