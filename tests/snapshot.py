"""Compares screenshots of pages with approved ones; `UPDATE_GOLDEN=1` rewrites those, but never in CI.

Machines render letters and lines slightly differently, so a picture is stored as the averages of small squares, and
each larger square may take any value in the range of its neighbours; missing or moved parts are still detected.
"""

import base64
import os
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

SNAPSHOTS = Path(__file__).parent / "e2e/snapshots"
_PROGRAM = Path(__file__).with_suffix(".js").read_text()
# The tolerance is out of 255, beyond the range of the neighbours; the share of squares may exceed it. Measured: other
# fonts change 0.5 to 1.3 % of the squares, a panel that is missing or has moved 3 % or more.
_TOLERANCE, _SHARE = 8, 0.02


def keep(page: Page, name: str) -> None:
    """Approve a page's current window as the picture of this name, if `UPDATE_GOLDEN` is set and `CI` is not."""
    if os.environ.get("UPDATE_GOLDEN") and not os.environ.get("CI"):
        (SNAPSHOTS / f"{name}.png").write_bytes(base64.b64decode(_take(page)))


def find_differences(page: Page, name: str) -> list[str]:
    """Return where a window differs from the picture of this name, as "x,y" of squares; empty if few squares differ."""
    kept = base64.b64encode((SNAPSHOTS / f"{name}.png").read_bytes()).decode()
    compared = _run(page, "compare", kept, _take(page), _TOLERANCE)
    if compared is None:
        return ["the size"]
    foreign: list[str] = compared["foreign"]
    return foreign if len(foreign) > compared["squares"] * _SHARE else []


def _take(page: Page) -> str:
    picture = page.screenshot(animations="disabled", caret="hide")
    shrunk: str = _run(page, "shrink", base64.b64encode(picture).decode())
    return shrunk


def _run(page: Page, name: str, *arguments: object) -> Any:
    # On a page of its own: the gateway's page blocks such scripts (CSP) and has a stopped clock.
    browser = page.context.browser
    assert browser is not None
    judge = browser.new_page()
    try:
        return judge.evaluate(f"(given) => {_PROGRAM}.{name}(...given)", list(arguments))
    finally:
        judge.close()
