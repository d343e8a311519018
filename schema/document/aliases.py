"""Limit an operation's aliases: each can cost a database query of its own."""

from graphql import DocumentNode, FieldNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode

from database.errors import GatewayError
from schema.document.definition import find_fragments, find_operations


class TooManyAliasesError(GatewayError):
    code = "TOO_MANY_ALIASES"


def check_aliases(document: DocumentNode, most: int) -> None:
    """Raise TooManyAliasesError if an operation has more than `most` aliases, counting a fragment's at each spread."""
    fragments = find_fragments(document)
    counts: dict[str, int] = {}

    def count(selections: SelectionSetNode | None) -> int:
        return sum(count_node(node) for node in selections.selections) if selections else 0

    def count_node(node: object) -> int:
        match node:
            case FieldNode(alias=alias, selection_set=inner):
                return (alias is not None) + count(inner)
            case InlineFragmentNode(selection_set=inner):
                return count(inner)
            case FragmentSpreadNode(name=name) if name.value in fragments:
                if name.value not in counts:
                    # Zero while it is being counted, so that a cycle ends; validation then reports the cycle.
                    counts[name.value] = 0
                    counts[name.value] = count(fragments[name.value].selection_set)
                return counts[name.value]
        return 0

    if any(count(operation.selection_set) > most for operation in find_operations(document)):
        raise TooManyAliasesError(
            f"The operation has more than {most} aliases; send several operations, or ask for fewer fields."
        )
