"""Check the rules and the configuration with promtool, and that each alert fires and stays silent as its tests say."""

import contextlib
import re
from functools import cache
from pathlib import Path

from deploy.checks import CheckError
from deploy.tool import ROOT, WORK, find_installed, require, run_program

MONITORING = ROOT / "deploy/monitoring"


@cache
def get_promtool() -> Path:
    """Return the path of promtool: the installed one, or else one unpacked from the system's package.

    Raises:
        CheckError: there is neither.
    """
    if installed := find_installed("promtool"):
        return installed
    folder = WORK / "prometheus"
    program = folder / "usr/bin/promtool"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(CheckError):
            run_program("apt-get", "download", "prometheus", folder=folder)
            for package in folder.glob("prometheus_*.deb"):
                require("dpkg-deb", "--extract", package, folder)
    if not program.exists():
        raise CheckError("promtool is missing: install Prometheus (Debian, Ubuntu: apt-get install prometheus)")
    return program


def run() -> int:
    """Check the rules and the configuration, and run the rules' tests.

    Raises:
        CheckError: promtool finds a fault.
    """
    promtool = get_promtool()
    checked = require(promtool, "check", "rules", "--lint=all", "--lint-fatal", MONITORING / "rules.yaml")
    found = re.search(r"(\d+) rules found", checked)
    if found is None:
        raise CheckError(f"promtool counted no rules: {checked}")
    require(promtool, "check", "config", "--syntax-only", MONITORING / "prometheus.yml")
    require(promtool, "test", "rules", MONITORING / "rules_test.yaml")
    tests = (MONITORING / "rules_test.yaml").read_text().count("\n  - name: ")
    return int(found[1]) + 1 + tests
