"""The definitions and nodes in a document, by kind."""

from collections.abc import Iterator
from typing import TypeVar

from graphql import DocumentNode, FragmentDefinitionNode, Node, OperationDefinitionNode

T = TypeVar("T", bound=Node)


def find_fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """Give the fragments by name."""
    return {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}


def find_operations(document: DocumentNode) -> list[OperationDefinitionNode]:
    """Give the operations in their order."""
    return [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]


def find_nodes(document: DocumentNode, kind: type[T]) -> Iterator[T]:
    """Give the nodes of a kind, wherever they stand, in no order. Unlike graphql-core's visitor it does not recurse."""
    pending: list[object] = [document]
    while pending:
        match pending.pop():
            case tuple() | list() as nodes:
                pending.extend(nodes)
            case Node() as node:
                if isinstance(node, kind):
                    yield node
                pending.extend(vars(node).values())
