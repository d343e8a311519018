"""The structure described in docs/architecture.md: who may import whom, and what may not be committed."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("database", "schema", "seeding", "gateway")
# Third-party module -> the packages that may import it.
OWNERS = {
    "pymongo": {"database"},
    "bson": {"database"},
    "fiftyone": {"database"},
    "strawberry": {"schema", "gateway"},
    "fastapi": {"gateway"},
    "starlette": {"gateway"},
    "uvicorn": {"gateway"},
    "click": {"gateway", "seeding"},
    "faker": {"seeding"},
}
# Package -> the packages of ours that it may import.
BELOW = {
    "database": set[str](),
    "schema": {"database"},
    "seeding": {"database"},
    "gateway": {"schema", "database"},
}
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def find_imports(path: Path) -> Iterator[str]:
    """Yield the top-level packages that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_run_one_way(path: Path) -> None:
    """A module imports its own package, those below it, and third-party modules that its package may use."""
    package = path.relative_to(ROOT).parts[0]
    allowed = BELOW[package] | {package}
    # Only the command line may import seeding.
    if path == ROOT / "gateway/cli.py":
        allowed = allowed | {"seeding"}
    for name in find_imports(path):
        assert name not in PACKAGES or name in allowed
        assert package in OWNERS.get(name, {package})


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    """Every module has a docstring that ends with a full stop."""
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring
    assert docstring.rstrip().endswith(".")


def test_no_file_is_a_drawer() -> None:
    """No module has a catch-all name such as utils or helpers."""
    assert not [path for path in MODULES if path.stem in {"utils", "util", "helpers", "common", "misc"}]


def list_committed() -> list[Path]:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)  # noqa: S607 - git from PATH
    return [ROOT / name for name in names.stdout.split("\0") if name]


def test_the_guide_names_files_that_are_there() -> None:
    """docs/development.md names no file that does not exist."""
    named = re.findall(r"`([a-z_.-]+(?:/[A-Za-z_.-]+)+)`", (ROOT / "docs/development.md").read_text())
    assert len(named) > 30
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_locks_name_no_registry() -> None:
    """The lock files hold hashes and versions, and no registry URL."""
    locks = [
        path for path in list_committed() if path.parent.name == "requirements" or path.name == "package-lock.json"
    ]
    assert len(locks) >= 6
    for path in locks:
        text = path.read_text()
        assert "resolved" not in text or '"resolved": "http' not in text
        assert "--index-url" not in text
        assert "--extra-index-url" not in text
    for path in locks:
        if path.suffix == ".txt":
            assert "://" not in path.read_text()


def test_every_requirement_has_a_hash() -> None:
    """Each pinned package in the hashed locks has at least one hash."""
    for path in (ROOT / "requirements").glob("*.txt"):
        blocks = path.read_text().replace("\\\n", " ").splitlines()
        pins = [line for line in blocks if "==" in line and not line.lstrip().startswith("#")]
        assert pins
        assert all("--hash=sha256:" in line for line in pins)
