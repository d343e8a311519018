"""Lambda: the handler under the real runtime client and emulator, by tests/deploy/test_function.py.

The tests run in the development environment with the extra `lambda`; emulator and moto come from the locks of deploy.
"""

import platform
import re
from pathlib import Path

from deploy.checks import CheckError
from deploy.tool import ROOT, WORK, get_program, require

_MACHINES = {"x86_64": "x86_64", "aarch64": "arm64"}
_PASSED = re.compile(r"^(\d+) passed", re.MULTILINE)


def run() -> int:
    """Run the tests; each counts.

    Raises:
        CheckError: one fails, or the emulator is not to be had for this machine.
    """
    python = ROOT / ".venv/bin/python"
    if not python.exists():
        raise CheckError(".venv is missing: `make test` makes it, with what the tests need")
    variables = {"RIE": str(_get_emulator()), "MOTO_SERVER": str(get_program("moto_server"))}
    said = require(python, "-m", "pytest", "--quiet", "tests/deploy/test_function.py", variables=variables)
    found = _PASSED.search(said)
    if not found:
        raise CheckError(f"no test has run: {said}")
    return int(found[1])


def _get_emulator() -> Path:
    machine = _MACHINES.get(platform.machine())
    if machine is None or platform.system() != "Linux":
        raise CheckError("the emulator of AWS Lambda runs on Linux alone, on x86-64 or arm64")
    folder = WORK / "emulator"
    emulator = folder / f"samcli/local/rapid/aws-lambda-rie-{machine}"
    if not emulator.exists():
        lock = ROOT / "requirements/emulator.txt"
        options = ("--quiet", "--no-deps", "--require-hashes", "--target", str(folder), "-r", str(lock))
        require(ROOT / ".tools/bin/python", "-m", "pip", "install", *options)
    emulator.chmod(0o755)
    return emulator
