"""The types of the explorer's operations, generated from the SDL: `python -m tests.web_types --write` rewrites them."""

import sys
from pathlib import Path

from tests.node import NodeFolder, install_packages

ROOT = Path(__file__).parents[1]
TYPES = ROOT / "web/explorer/operations.ts"


def install_web() -> NodeFolder:
    """Install the tools of tests/web, with the web pages in the subfolder `pages`, whose modules find the tools."""
    tools = install_packages(ROOT / "tests/web")
    install_packages(ROOT / "web", tools.path / "pages")
    return tools


def build_types(tools: NodeFolder) -> str:
    """Return the text of web/explorer/operations.ts; fails with the location of any operation that breaks the SDL."""
    done = tools.run("types.ts", str(ROOT / "schema/schema.graphql"))
    assert done.returncode == 0, done.stderr
    return done.stdout


if __name__ == "__main__":
    types = build_types(install_web())
    if sys.argv[1:] == ["--write"]:
        TYPES.write_text(types)
    else:
        sys.stdout.write(types)
