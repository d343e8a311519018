"""Map a GraphQL selection to the document keys to read, so that nothing unselected is fetched."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from graphql import (
    BooleanValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLResolveInfo,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
)

from database.query import FIELDS
from schema.context import Info, RequestContext


def select_names(info: Info, *path: str) -> frozenset[str]:
    """Return the names of the fields selected below a path, also in fragments, except those @skip or @include drops.

    Args:
        info: of the field being resolved.
        path: the field names that lead from it to the wanted fields.
    """
    return frozenset(field.name.value for field in _select_fields(info, path))


def count_answers(info: Info, *path: str) -> int:
    """Return how many times the response holds what a path of field names leads to: once for each alias.

    A field that does not select the next name of the path counts once.
    """
    nodes = _get_nodes(info)
    sets = [node.selection_set for node in nodes.field_nodes]
    return _count_answers(sets, path, nodes.fragments, info.variable_values)


def _count_answers(
    sets: Iterable[SelectionSetNode | None],
    path: Sequence[str],
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Mapping[str, object],
) -> int:
    answers: dict[str, list[SelectionSetNode | None]] = {}
    for field in _find_fields(sets, fragments, variables):
        if field.name.value == path[0]:
            answers.setdefault((field.alias or field.name).value, []).append(field.selection_set)
    if not (rest := path[1:]):
        return len(answers)
    return sum(max(1, _count_answers(inner, rest, fragments, variables)) for inner in answers.values())


def select_keys(info: Info, *path: str) -> frozenset[str]:
    """Return the document keys selected below a path of field names that leads to a transaction."""
    # A transaction's field names are the document's keys, except for the id.
    return frozenset("_id" if name == "id" else name for name in select_names(info, *path)) & frozenset(FIELDS)


def _get_nodes(info: Info) -> GraphQLResolveInfo[RequestContext]:
    # Strawberry's own `selected_fields` expands every fragment at every spread, which a small document can make take
    # forever; graphql-core's info, which has the nodes, has no public name in Strawberry.
    return info._raw_info  # noqa: SLF001


def _select_fields(info: Info, path: Iterable[str]) -> Iterator[FieldNode]:
    nodes = _get_nodes(info)
    sets = [node.selection_set for node in nodes.field_nodes]
    for name in path:
        fields = _find_fields(sets, nodes.fragments, info.variable_values)
        sets = [field.selection_set for field in fields if field.name.value == name]
    return _find_fields(sets, nodes.fragments, info.variable_values)


def _find_fields(
    sets: Iterable[SelectionSetNode | None],
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Mapping[str, object],
) -> Iterator[FieldNode]:
    """Yield the fields of selection sets, those of each fragment once."""
    pending = [selection for selection in sets if selection]
    seen = set()
    while pending:
        for node in pending.pop().selections:
            if not _is_included(node, variables):
                continue
            match node:
                case FieldNode():
                    yield node
                case InlineFragmentNode(selection_set=inner):
                    pending.append(inner)
                case FragmentSpreadNode(name=name) if name.value not in seen:
                    seen.add(name.value)
                    pending.append(fragments[name.value].selection_set)


def _is_included(node: SelectionNode, variables: Mapping[str, object]) -> bool:
    """Return whether @skip and @include keep a selection (GraphQL, section 3.13); validation checked their argument."""
    for directive in node.directives or ():
        match directive.arguments[0].value if directive.arguments else None:
            case BooleanValueNode(value=value):
                condition = value
            case VariableNode(name=name):
                condition = bool(variables.get(name.value))
            case _:
                continue
        if condition is (directive.name.value == "skip"):
            return False
    return True
