"""Runs Lighthouse, which loads a page in its own browser and rates it; it needs nothing but that page."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.browser import build_launch_options
from tests.node import NodeFolder, install_packages

CATEGORIES = ("performance", "accessibility", "best-practices")
# Lighthouse 13 needs Node 22.19 or later.
_OLDEST_NODE = 23
# Its error when the browser's trace lacks the navigation: nothing was measured, and Lighthouse says to run it again.
_UNRECORDED = "NO_NAVSTART"
_MOST_TRIES = 3
# The devices: a laptop on a fast connection and a slow phone on a slow one, both simulated from an unthrottled load.
DEVICES: Mapping[str, Sequence[str]] = {"desktop": ["--preset=desktop"], "mobile": []}


@dataclass(frozen=True, slots=True)
class Visit:
    """Lighthouse's result for a page.

    Attributes:
        scores: 0 to 100, by category.
        size: bytes transferred by the responses of the first load, headers included; 0 without the category
            performance.
        requests: the number of those responses; 0 likewise.
        faults: titles of the failed audits of any category.
        version: Lighthouse's version.
        browser: its user agent.
    """

    scores: Mapping[str, int]
    size: int
    requests: int
    faults: Sequence[str]
    version: str
    browser: str


def visit(folder: NodeFolder, url: str, device: str, categories: Sequence[str] = CATEGORIES) -> Visit:
    """Load a page as one of DEVICES and return the result."""
    options = build_launch_options()
    # Lighthouse takes the flags as one string, in which a value with spaces must be quoted.
    parts = [flag.partition("=") for flag in ["--headless=new", *options["args"]]]
    flags = " ".join(f'{name}="{value}"' if value else name for name, _, value in parts)
    environment = {**folder.environment, "CHROME_PATH": str(options["executable_path"])}
    lighthouse = NodeFolder(folder.path, folder.node, environment)
    arguments = [
        url,
        *DEVICES[device],
        f"--only-categories={','.join(categories)}",
        f"--chrome-flags={flags}",
        "--output=json",
        "--quiet",
        "--no-enable-error-reporting",
    ]
    tries = (lighthouse.run_package("lighthouse", *arguments) for _ in range(_MOST_TRIES))
    done = next((done for done in tries if _UNRECORDED not in done.stderr), None)
    assert done is not None, f"{_UNRECORDED}, {_MOST_TRIES} times"
    assert done.returncode == 0, done.stderr
    return read_report(json.loads(done.stdout))


def read_report(report: Mapping[str, Any]) -> Visit:
    """Read a Lighthouse report; an audit that was not run or is informative has no score and is no fault."""
    audits = report["audits"]
    # This audit belongs to the category performance alone.
    answers = audits["network-requests"]["details"]["items"] if "network-requests" in audits else []
    return Visit(
        {name: round(category["score"] * 100) for name, category in report["categories"].items()},
        sum(answer["transferSize"] for answer in answers),
        len(answers),
        [audit["title"] for audit in audits.values() if audit["score"] == 0],
        report["lighthouseVersion"],
        report["environment"]["hostUserAgent"],
    )


def install_lighthouse() -> NodeFolder:
    """Install Lighthouse, with a Node recent enough for it."""
    return install_packages(Path(__file__).parent / "pages", oldest=_OLDEST_NODE)
