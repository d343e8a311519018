"""Keeps the schema back where it is not to be shown. `__typename`, which clients' caches need, stays."""

from graphql import DocumentNode, FieldNode

from database.errors import GatewayError
from schema.document.definition import find_nodes

# All of introspection depends on two fields (GraphQL, section 4.2); Federation's gives the schema as text.
_ROOTS = frozenset({"__schema", "__type", "_service"})


class IntrospectionDisabledError(GatewayError):
    code = "INTROSPECTION_DISABLED"


def check_introspection(document: DocumentNode) -> None:
    """Raise IntrospectionDisabledError when a document asks for the schema, even in a fragment that nothing uses."""
    for node in find_nodes(document, FieldNode):
        if node.name.value in _ROOTS:
            raise IntrospectionDisabledError(
                f"The document asks for {node.name.value}, and this gateway does not show its schema."
            )
