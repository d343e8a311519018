"""The pages' own logic, types and tests, checked with the npm tools that tests/web names."""

import pytest

from tests.node import NodeFolder
from tests.web_types import TYPES, build_types, install_web


@pytest.fixture(scope="module")
def tools() -> NodeFolder:
    return install_web()


def test_the_types_of_operations_are_current(tools: NodeFolder) -> None:
    """Each operation of the explorer fits the SDL, and the checked-in types are generated from both."""
    assert TYPES.read_text() == build_types(tools), "run `python -m tests.web_types --write`"


@pytest.mark.parametrize("project", [".", "pages", "pages/explorer", "pages/graphiql", "pages/docs"])
def test_typescript_finds_no_fault(tools: NodeFolder, project: str) -> None:
    """The pages pass TypeScript's strict checks, and so do their tests, which the build omits."""
    done = tools.run("pages/node_modules/typescript/bin/tsc", "-p", project)
    assert done.returncode == 0, done.stdout


def test_the_logic_of_the_pages(tools: NodeFolder) -> None:
    """The pages' own tests pass; they lie beside the modules, as web/**/*.test.ts."""
    done = tools.run("node_modules/vitest/vitest.mjs", "run", "--config", "vitest.config.ts")
    assert done.returncode == 0, done.stdout + done.stderr
