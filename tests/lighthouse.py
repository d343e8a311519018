"""Lighthouse, which loads a page in a browser of its own and judges it; it needs nothing but that page."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.browser import build_launch_options
from tests.node import NodeFolder, install_packages

CATEGORIES = ("performance", "accessibility", "best-practices")
# Lighthouse 13 needs 22.19.
_OLDEST_NODE = 23
# Its error where the browser's trace lacks the navigation: nothing was measured, and it asks to be run again.
_UNRECORDED = "NO_NAVSTART"
_MOST_TRIES = 3
# What is judged: a laptop on a fast line, and a slow phone on a slow one, both worked out from a load without limits.
DEVICES: Mapping[str, Sequence[str]] = {"desktop": ["--preset=desktop"], "mobile": []}


@dataclass(frozen=True, slots=True)
class Visit:
    """What Lighthouse found in a page.

    Attributes:
        scores: of each category, from 0 to 100.
        size: of the answers of the first load, in bytes as transferred, with headers; 0 without performance.
        requests: how many answers; 0 as above.
        faults: the titles of the audits that were failed, of any category.
        version: Lighthouse's.
        browser: as it names itself.
    """

    scores: Mapping[str, int]
    size: int
    requests: int
    faults: Sequence[str]
    version: str
    browser: str


def visit(folder: NodeFolder, url: str, device: str, categories: Sequence[str] = CATEGORIES) -> Visit:
    """Load a page as one of DEVICES and give what was found."""
    options = build_launch_options()
    # Its command line takes them as one text, in which a value with spaces is quoted.
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
    """Give what a report of Lighthouse says; an audit that was not run, or only informs, has no score and no fault."""
    audits = report["audits"]
    # Part of the category performance alone.
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
    """Give Lighthouse with a Node that is recent enough for it."""
    return install_packages(Path(__file__).parent / "pages", oldest=_OLDEST_NODE)
