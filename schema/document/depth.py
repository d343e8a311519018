"""Limit how deep an operation may nest its fields."""

from graphql import DocumentNode, FieldNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode

from database.errors import GatewayError
from schema.document.definition import find_fragments, find_operations


class QueryTooDeepError(GatewayError):
    code = "QUERY_TOO_DEEP"


def check_depth(document: DocumentNode, most: int) -> None:
    """Raise QueryTooDeepError if an operation nests fields more than `most` deep, fragments included.

    A fragment that contains itself counts as too deep: validation, which would report the cycle, runs later.
    """
    fragments = find_fragments(document)
    depths: dict[str, int] = {}

    def measure(selections: SelectionSetNode, inside: frozenset[str]) -> int:
        return max((measure_node(node, inside) for node in selections.selections), default=0)

    def measure_node(node: object, inside: frozenset[str]) -> int:
        match node:
            case FieldNode(selection_set=None):
                return 1
            case FieldNode(selection_set=SelectionSetNode() as inner):
                return 1 + measure(inner, inside)
            case InlineFragmentNode(selection_set=inner):
                return measure(inner, inside)
            case FragmentSpreadNode(name=name) if name.value in inside:
                return most + 1
            case FragmentSpreadNode(name=name) if name.value in fragments:
                if name.value not in depths:
                    depths[name.value] = measure(fragments[name.value].selection_set, inside | {name.value})
                return depths[name.value]
        return 0

    if any(measure(operation.selection_set, frozenset()) > most for operation in find_operations(document)):
        raise QueryTooDeepError(
            f"The operation nests fields more than {most} deep; select fewer levels; no fragment may contain itself."
        )
