"""GraphQL over HTTP according to the audit of its specification: npm's graphql-http, run against a gateway."""

import json
from pathlib import Path

from tests.conftest import ServedDatabase
from tests.node import install_packages

AUDIT = Path(__file__).parents[1] / "audit"
CHECKS = 61


def test_every_check_of_the_audit_is_ok(served: ServedDatabase) -> None:
    """Every check of the audit is ok, including the recommended and optional ones."""
    done = install_packages(AUDIT).run("audit.mjs", f"{served.gateway.url}/graphql")
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == CHECKS
