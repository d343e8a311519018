"""The bounds that every operation is held to, and their defaults."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one GraphQL operation may be.

    Attributes:
        document_bytes: longest document, in UTF-8.
        tokens: longest document. GraphiQL's introspection has about 300.
        depth: deepest nesting of fields. GraphiQL's introspection has 15, the deepest question 4.
        aliases: most renamed fields of an operation.
        directives: most directives of a document.
        rows: most rows that an operation may ask for, all its pages together.
        introspection: whether the schema is shown: by introspection, and by suggestions in errors.
    """

    document_bytes: int = 50_000
    tokens: int = 2_000
    depth: int = 20
    aliases: int = 30
    directives: int = 50
    rows: int = 20_000
    introspection: bool = True
