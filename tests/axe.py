"""The accessibility rules that a program can judge (axe-core), asked of a page as it stands.

What only a person can judge, such as whether the order of the Tab key makes sense, is not here.
"""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.node import install_packages

# WCAG 2.2 at the levels A and AA: axe-core has a tag for what each version added, and one for good practice beyond.
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def find_violations(page: Page) -> list[str]:
    """Give each breach of WCAG 2.2 A and AA: its rule, what it asks for, and the element."""
    # As the debugger evaluates it: the page's Content-Security-Policy would let no script in.
    page.evaluate(_load_axe())
    options = {"runOnly": {"type": "tag", "values": _TAGS}, "resultTypes": ["violations"], "preload": False}
    found: dict[str, Any] = page.evaluate("(options) => axe.run(document, options)", options)
    return [
        f"{rule['id']}: {rule['help']}: {node['target']}: {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


@cache
def _load_axe() -> str:
    folder = install_packages(Path(__file__).parent / "pages")
    return (folder.path / "node_modules/axe-core/axe.min.js").read_text()
