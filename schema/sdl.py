"""The schema as text, and what a change of it would break for its clients."""

from graphql import BreakingChange, find_schema_changes
from graphql import build_schema as build_graphql_schema

from schema.schema import build_schema


def build_sdl() -> str:
    """Give the schema in GraphQL's schema definition language, ending with a line break."""
    return build_schema().as_str() + "\n"


def find_breaking_changes(old: str, new: str) -> list[str]:
    """Give one sentence for each change from the old SDL to the new that can break a client's operations."""
    changes = find_schema_changes(build_graphql_schema(old), build_graphql_schema(new))
    return [change.description for change in changes if isinstance(change, BreakingChange)]
