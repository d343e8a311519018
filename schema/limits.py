"""The bounds that every operation is held to, and their defaults."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one GraphQL operation may be.

    Attributes:
        tokens: longest document. GraphiQL's introspection has about 300.
        depth: deepest nesting of fields. GraphiQL's introspection has 15, the deepest question 4.
        aliases: most renamed fields of an operation.
    """

    tokens: int = 2_000
    depth: int = 20
    aliases: int = 30
