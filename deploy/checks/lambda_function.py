"""Test the Lambda handler with the real runtime client and emulator, by tests/deploy/test_lambda_function.py.

The tests run in the development environment with the extra `lambda`; emulator and moto come from deployment's locks.
"""

import re

from deploy.checks import CheckError
from deploy.emulator import get_emulator
from deploy.tool import ROOT, get_program, require

_PASSED = re.compile(r"^(\d+) passed", re.MULTILINE)


def run() -> int:
    """Run the tests and return how many passed.

    Raises:
        CheckError: one fails, or the emulator does not support this machine.
    """
    python = ROOT / ".venv/bin/python"
    if not python.exists():
        raise CheckError(".venv is missing: `make test` makes it, with what the tests need")
    variables = {"RIE": str(get_emulator()), "MOTO_SERVER": str(get_program("moto_server"))}
    said = require(python, "-m", "pytest", "--quiet", "tests/deploy/test_lambda_function.py", variables=variables)
    found = _PASSED.search(said)
    if not found:
        raise CheckError(f"no test has run: {said}")
    return int(found[1])
