"""Pictures of pages beside those that were agreed to, which `UPDATE_GOLDEN=1` writes anew; never in CI.

Machines draw letters and lines a little differently. So a picture is kept as averages of small squares, and each larger
square may be whatever lies between those around it: what is missing or has moved shows all the same.
"""

import base64
import os
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

SNAPSHOTS = Path(__file__).parent / "e2e/snapshots"
_PROGRAM = Path(__file__).with_suffix(".js").read_text()
# Of 255, beyond what lies around; and how many of the squares may differ by more: letters have other widths elsewhere.
_TOLERANCE, _SHARE = 16, 0.01


def find_differences(page: Page, name: str) -> list[str]:
    """Give where a page's window differs from the picture of this name, as "x,y" of squares; nothing if hardly at all.

    With `UPDATE_GOLDEN` the picture is taken of this page instead.
    """
    browser = page.context.browser
    assert browser is not None
    taken = base64.b64encode(page.screenshot(animations="disabled", caret="hide")).decode()
    seen = _run(browser, "shrink", taken)
    path = SNAPSHOTS / f"{name}.png"
    if os.environ.get("UPDATE_GOLDEN") and not os.environ.get("CI"):
        path.write_bytes(base64.b64decode(seen))
    kept = base64.b64encode(path.read_bytes()).decode()
    compared = _run(browser, "compare", kept, seen, _TOLERANCE)
    if compared is None:
        return ["the size"]
    foreign: list[str] = compared["foreign"]
    return foreign if len(foreign) > compared["squares"] * _SHARE else []


def _run(browser: Browser, name: str, *arguments: object) -> Any:
    # A page of its own: that of the gateway would let no such script run, and has its own clock.
    page = browser.new_page()
    try:
        return page.evaluate(f"(given) => {_PROGRAM}.{name}(...given)", list(arguments))
    finally:
        page.close()
