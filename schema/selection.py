"""What a GraphQL operation selects becomes the document keys to read: nothing is fetched that is not asked for."""

from collections.abc import Iterable, Iterator

from graphql import FieldNode, FragmentSpreadNode, GraphQLResolveInfo, InlineFragmentNode, SelectionSetNode

from database.query import FIELDS
from schema.context import Info, RequestContext


def select_keys(info: Info, *path: str) -> frozenset[str]:
    """Give the document keys selected below a path of field names, fragments included.

    Args:
        info: of the field that is being resolved.
        path: the names of the fields that lead from it to a transaction.
    """
    # Strawberry's own `selected_fields` writes every fragment out at every spread, which a small document can make
    # take forever; graphql-core's info, which has the nodes, has no public name.
    nodes: GraphQLResolveInfo[RequestContext] = info._raw_info  # noqa: SLF001
    sets = [node.selection_set for node in nodes.field_nodes]
    for name in path:
        sets = [field.selection_set for field in _find_fields(sets, nodes) if field.name.value == name]
    # A transaction's fields are called as the document's keys, but for the id.
    names = {field.name.value for field in _find_fields(sets, nodes)}
    return frozenset("_id" if name == "id" else name for name in names) & frozenset(FIELDS)


def _find_fields(
    sets: Iterable[SelectionSetNode | None], info: GraphQLResolveInfo[RequestContext]
) -> Iterator[FieldNode]:
    """Give the fields of selections, each fragment's once; @skip and @include only ever take some away."""
    pending = [selection for selection in sets if selection]
    seen = set()
    while pending:
        for node in pending.pop().selections:
            match node:
                case FieldNode():
                    yield node
                case InlineFragmentNode(selection_set=inner):
                    pending.append(inner)
                case FragmentSpreadNode(name=name) if name.value not in seen:
                    seen.add(name.value)
                    pending.append(info.fragments[name.value].selection_set)
