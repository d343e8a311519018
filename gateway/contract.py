"""The gateway's checked-in contract with its clients: the GraphQL schema, the OpenAPI document, the error pages.

It compares and writes the files; it must not decide what is in them.
"""

import difflib
import json
from pathlib import Path
from typing import ClassVar

from graphql import GraphQLError

from database.environment import DatabaseEnvironment
from database.errors import ConfigurationError, GatewayError
from gateway.app import create_app
from gateway.openapi import build_document
from gateway.problems import PROBLEMS
from gateway.settings import load_settings
from schema.sdl import build_sdl, find_breaking_changes

SDL = Path("schema/schema.graphql")
OPENAPI = Path("docs/openapi.json")
ERRORS = Path("docs/errors")
# Enough of a diff to see what it is about.
_SHOWN_LINES = 20


class ContractError(GatewayError):
    """The checked-in files differ from what the code serves, or must not be replaced; the message says what to do."""

    code: ClassVar[str] = "CONTRACT"


def build_openapi() -> str:
    """Build the text of docs/openapi.json."""
    environment = DatabaseEnvironment(uri="mongodb://127.0.0.1/transactions")
    return json.dumps(build_document(create_app(load_settings({}), environment)), indent=2, ensure_ascii=False) + "\n"


def build_contract() -> dict[Path, str]:
    """Build the files' texts by their paths from the repository's root; an empty text means: remove the file."""
    gone = dict.fromkeys(ERRORS.glob("*.md"), "")
    pages = {ERRORS / f"{code}.md": problem.render_page() for code, problem in PROBLEMS.items()}
    return {SDL: build_sdl(), OPENAPI: build_openapi(), **gone, **pages}


def find_differences() -> list[str]:
    """Return the beginning of a unified diff for each file that differs from the code; none if all are current.

    Raises:
        ConfigurationError: this is not the root of the repository.
    """
    _require_repository()
    differences = []
    for path, text in build_contract().items():
        old = path.read_text("utf-8") if path.exists() else ""
        names = (f"{path} (checked in)", f"{path} (the code)")
        lines = list(difflib.unified_diff(old.splitlines(), text.splitlines(), *names, lineterm="", n=1))
        more = [f"... and {len(lines) - _SHOWN_LINES} more lines"] if len(lines) > _SHOWN_LINES else []
        if old != text:
            differences.append("\n".join([*lines[:_SHOWN_LINES], *more]) or f"{path} differs in its line ends")
    return differences


def find_breaks() -> list[str]:
    """Return each change to the GraphQL schema that breaks clients of the checked-in one.

    Raises:
        ConfigurationError: this is not the root of the repository.
        ContractError: the checked-in file is not a GraphQL schema.
    """
    _require_repository()
    if not SDL.exists():
        return []
    try:
        return find_breaking_changes(SDL.read_text("utf-8"), build_sdl())
    except (GraphQLError, TypeError) as error:
        raise ContractError(f"{SDL} is not a GraphQL schema ({error}): restore it with git, or delete it") from error


def write_contract() -> list[Path]:
    """Write or remove each file that is not current, and return their paths.

    Raises:
        ConfigurationError: this is not the root of the repository.
    """
    _require_repository()
    written = []
    for path, text in build_contract().items():
        if not path.exists() or path.read_text("utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            if text:
                path.write_text(text, "utf-8")
            else:
                path.unlink()
            written.append(path)
    return written


def _require_repository() -> None:
    if not SDL.parent.is_dir():
        raise ConfigurationError(f"there is no {SDL.parent}/ here: run this in the root of the repository")
