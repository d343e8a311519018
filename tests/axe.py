"""Runs the accessibility rules that a program can check (axe-core) against a page in its current state.

What only a person can judge, such as whether the tab order makes sense, is out of scope.
"""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.node import install_packages

# WCAG 2.2 levels A and AA: axe-core tags the additions of each version separately, and best practices beyond them.
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def find_violations(page: Page) -> list[str]:
    """Return each violation of WCAG 2.2 A and AA or of a best practice: rule, requirement, element and fix."""
    # `evaluate` runs the script through the debugger; the page's Content-Security-Policy would block a script tag.
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
