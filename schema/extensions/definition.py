"""The definitions in a document, by kind."""

from graphql import DocumentNode, FragmentDefinitionNode, OperationDefinitionNode


def find_fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """Give the fragments by name."""
    return {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}


def find_operations(document: DocumentNode) -> list[OperationDefinitionNode]:
    """Give the operations in their order."""
    return [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
