"""Tells the request which operation runs: its name and the fields of the query type, for logs and counts."""

from collections.abc import Iterator

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
    get_operation_ast,
)
from strawberry.extensions import SchemaExtension

from schema.extensions.definition import find_fragments


class NotedOperation(SchemaExtension):
    """Notes what is about to run; the document is valid by then, so that its fields are the schema's."""

    def on_execute(self) -> Iterator[None]:
        context = self.execution_context
        # Strawberry answers the first of several operations where none is named; PreparedDocuments refuses that.
        operation = context.graphql_document and get_operation_ast(context.graphql_document, context.operation_name)
        if context.graphql_document and operation:
            fields = list_root_fields(context.graphql_document, operation.selection_set)
            context.context.note_operation(context.operation_name, fields)
        yield


def list_root_fields(document: DocumentNode, selection: SelectionSetNode) -> list[str]:
    """Give the names of a selection's fields, each once, in their order, those of its fragments included."""
    names: dict[str, None] = {}
    fragments: dict[str, FragmentDefinitionNode] | None = None
    pending = list(reversed(selection.selections))
    while pending:
        match pending.pop():
            case FieldNode() as node:
                names[node.name.value] = None
            case InlineFragmentNode() as node:
                pending.extend(reversed(node.selection_set.selections))
            case FragmentSpreadNode() as node:
                fragments = find_fragments(document) if fragments is None else fragments
                # A valid document spreads no fragment within itself, but may spread one many times.
                if fragment := fragments.pop(node.name.value, None):
                    pending.extend(reversed(fragment.selection_set.selections))
    return list(names)
