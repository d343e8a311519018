"""The schema as text, and the changes to it that would break clients."""

from graphql import BreakingChange, find_schema_changes
from graphql import build_schema as build_graphql_schema

from schema.federation import print_sdl
from schema.schema import build_schema


def build_sdl() -> str:
    """Return the schema in GraphQL's schema definition language, ending with a line break."""
    return print_sdl(build_schema())


def find_breaking_changes(old: str, new: str) -> list[str]:
    """Return one sentence for each change from the old SDL to the new that can break a client's operations."""
    # Federation's directives are defined by its specification, not in the SDL.
    schemas = (build_graphql_schema(text, assume_valid_sdl=True) for text in (old, new))
    changes = find_schema_changes(*schemas)
    return [change.description for change in changes if isinstance(change, BreakingChange)]
