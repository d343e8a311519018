"""Limit how often an operation may select one response field: validation compares such selections in pairs."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from graphql import (
    DocumentNode,
    ExecutableDefinitionNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
)

from schema.document.aliases import TooManyAliasesError
from schema.document.definition import find_fragments

# Ten times what the longest document holds without fragments, which can multiply its fields far beyond its tokens.
_MOST_FIELDS = 20_000

_Fragments: TypeAlias = Mapping[str, FragmentDefinitionNode]


def check_repeats(document: DocumentNode, most: int) -> None:
    """Raise TooManyAliasesError if more than `most` selections merge into one field of the response.

    Selections below repeated fields, in inline fragments and in fragments merge too.
    """
    fragments = find_fragments(document)
    # All definitions, not `fragments`: that holds only the last of several fragments with the same name.
    pending = [[node.selection_set] for node in document.definitions if isinstance(node, ExecutableDefinitionNode)]
    seen: set[frozenset[int]] = set()
    left = _MOST_FIELDS
    while pending:
        merged = pending.pop()
        key = frozenset(map(id, merged))
        if key in seen:
            continue
        seen.add(key)
        for nodes in _merge(merged, fragments).values():
            left -= len(nodes)
            # A single selection is no repetition, even with a limit of 0.
            if len(nodes) > max(most, 1):
                raise TooManyAliasesError(f"The document repeats one field more than {most} times; select it once.")
            if left < 0:
                raise TooManyAliasesError("The document repeats its fragments' fields too often; spread fewer of them.")
            if inner := [node.selection_set for node in nodes if node.selection_set]:
                pending.append(inner)


def _merge(selection_sets: Sequence[SelectionSetNode], fragments: _Fragments) -> dict[str, list[FieldNode]]:
    """Return the fields of selection sets by response name; each fragment counts once, as in execution."""
    fields: defaultdict[str, list[FieldNode]] = defaultdict(list)
    spread: set[str] = set()
    pending: list[SelectionNode] = [node for each in selection_sets for node in each.selections]
    while pending:
        match pending.pop():
            case FieldNode() as node:
                fields[(node.alias or node.name).value].append(node)
            case InlineFragmentNode(selection_set=inner):
                pending.extend(inner.selections)
            case FragmentSpreadNode(name=name) if name.value in fragments and name.value not in spread:
                spread.add(name.value)
                pending.extend(fragments[name.value].selection_set.selections)
    return fields
