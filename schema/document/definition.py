"""The definitions and nodes in a document, by kind."""

from collections.abc import Iterator
from typing import TypeVar

from graphql import DocumentNode, FragmentDefinitionNode, Node, OperationDefinitionNode

T = TypeVar("T", bound=Node)


def find_fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """Return the fragments by name."""
    return {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}


def find_operations(document: DocumentNode) -> list[OperationDefinitionNode]:
    """Return the operations in document order."""
    return [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]


def find_nodes(document: DocumentNode, kind: type[T]) -> Iterator[T]:
    """Yield the nodes of a kind at any depth, in no order. Unlike graphql-core's visitor, this does not recurse."""
    pending: list[object] = [document]
    while pending:
        match pending.pop():
            case tuple() | list() as nodes:
                pending.extend(nodes)
            case Node() as node:
                if isinstance(node, kind):
                    yield node
                pending.extend(vars(node).values())
