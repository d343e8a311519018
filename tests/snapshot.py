"""Pictures of pages beside those that were agreed to, which `UPDATE_GOLDEN=1` writes anew; never in CI.

Machines draw letters and lines a little differently. So a picture is kept as averages of small squares, and each larger
square may be whatever lies between those around it: what is missing or has moved shows all the same.
"""

import base64
import os
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

SNAPSHOTS = Path(__file__).parent / "e2e/snapshots"
_PROGRAM = Path(__file__).with_suffix(".js").read_text()
# Of 255, beyond what lies around; and how many of the squares may differ by more. Tried: other letters change half a
# percent to 1.3 % of the squares, a panel that is gone or has moved 3 % and more.
_TOLERANCE, _SHARE = 8, 0.02


def keep(page: Page, name: str) -> None:
    """Agree to a page's window as it is, where `UPDATE_GOLDEN` asks for it."""
    if os.environ.get("UPDATE_GOLDEN") and not os.environ.get("CI"):
        (SNAPSHOTS / f"{name}.png").write_bytes(base64.b64decode(_take(page)))


def find_differences(page: Page, name: str) -> list[str]:
    """Give where a window differs from the picture of this name, as "x,y" of squares; nothing if hardly at all."""
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
    # On a page of its own: that of the gateway would let no such script run, and has its own clock.
    browser = page.context.browser
    assert browser is not None
    judge = browser.new_page()
    try:
        return judge.evaluate(f"(given) => {_PROGRAM}.{name}(...given)", list(arguments))
    finally:
        judge.close()
