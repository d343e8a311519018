"""The root fields of an operation, for logs and metrics."""

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
)

from schema.document.definition import find_fragments


def list_root_fields(document: DocumentNode, selection: SelectionSetNode) -> list[str]:
    """Return the names of a selection's fields, each once, in order, including those of its fragments."""
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
