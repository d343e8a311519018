"""Refuse introspection where the schema must stay hidden. `__typename`, which clients' caches need, stays allowed."""

from graphql import DocumentNode, FieldNode

from database.errors import GatewayError
from schema.document.definition import find_nodes

# Introspection has two root fields (GraphQL, section 4.2); Federation's `_service` returns the schema as text.
_ROOTS = frozenset({"__schema", "__type", "_service"})


class IntrospectionDisabledError(GatewayError):
    code = "INTROSPECTION_DISABLED"


def check_introspection(document: DocumentNode) -> None:
    """Raise IntrospectionDisabledError if a document requests the schema, even in an unused fragment."""
    for node in find_nodes(document, FieldNode):
        if node.name.value in _ROOTS:
            raise IntrospectionDisabledError(
                f"The document asks for {node.name.value}, and this gateway does not show its schema."
            )
