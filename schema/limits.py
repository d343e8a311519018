"""The limits on every GraphQL operation, and their defaults."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper limits of one GraphQL operation.

    Attributes:
        document_bytes: longest document, in bytes of UTF-8.
        tokens: longest document, in tokens. GraphiQL's introspection has about 200.
        depth: deepest nesting of fields. GraphiQL's introspection has 15, the schema's deepest query 5.
        aliases: most aliases in an operation, and most selections of one response field.
        directives: most directives in a document.
        rows: most rows that an operation may request, all its pages together.
        introspection: whether the schema is visible, by introspection and by suggestions in errors.
    """

    document_bytes: int = 50_000
    tokens: int = 2_000
    depth: int = 20
    aliases: int = 30
    directives: int = 50
    rows: int = 20_000
    introspection: bool = True
