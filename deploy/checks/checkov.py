"""Run checkov over everything that deploys; a rule may only be skipped where it applies, with a reason."""

import json
from typing import Any

from deploy.chart import RELEASES, render
from deploy.checks import CheckError
from deploy.tool import ROOT, get_program, require, run_program


def run() -> int:
    """Check everything.

    Raises:
        CheckError: a rule is broken, a file cannot be read, or a skipped rule has no reason.
    """
    wanted = {
        "kubernetes": [
            "--file",
            str(ROOT / "deploy/namespaces.yaml"),
            *(option for release in RELEASES for option in ("--file", str(render(release)))),
        ],
        "dockerfile": ["--file", str(ROOT / "Dockerfile")],
        "github_actions": ["--directory", str(ROOT / ".github")],
        "terraform": ["--directory", str(ROOT / "deploy/terraform")],
    }
    tracked = require("git", "ls-files", "deploy", ".github", "Dockerfile", "compose.yaml").splitlines()
    wanted["secrets"] = [option for name in tracked for option in ("--file", name)]
    return sum(_check(framework, options) for framework, options in wanted.items())


def _check(framework: str, options: list[str]) -> int:
    fixed = ("--framework", framework, "--skip-download", "--output", "json")
    done = run_program(get_program("checkov"), *fixed, *options)
    report: dict[str, Any] | list[dict[str, Any]] = json.loads(done.stdout)
    if not isinstance(report, dict) or "summary" not in report:
        # checkov gives no summary if it found nothing to check, which is only acceptable for secrets.
        if framework == "secrets":
            return len(options) // 2
        raise CheckError(f"checkov found nothing of {framework} to check: {done.stdout}{done.stderr}")
    results, summary = report["results"], report["summary"]
    faults = [
        f"{each['repo_file_path']} {each['resource']}: {each['check_id']} {each['check_name']}"
        for each in results["failed_checks"]
    ]
    faults += [
        f"{each['repo_file_path']} {each['resource']}: {each['check_id']} is skipped without a reason"
        for each in results["skipped_checks"]
        if not each["check_result"].get("suppress_comment", "").strip()
    ]
    faults += [f"{name} cannot be read" for name in results["parsing_errors"]]
    if faults:
        raise CheckError("\n".join(faults))
    passed: int = summary["passed"]
    return passed
