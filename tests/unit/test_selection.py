"""Which fields an operation selects, however it is written."""

from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse

from schema.selection import _find_fields

LEVELS = 12


def test_a_fragment_is_read_once() -> None:
    """Fragments that spread each other twice per level yield each field once, not once per path to it."""
    levels = (f"fragment F{level} on T {{ ...F{level + 1} ...F{level + 1} }}" for level in range(LEVELS))
    document = parse(f"{{ ...F0 }} {' '.join(levels)} fragment F{LEVELS} on T {{ id }}")
    operation, *fragments = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    known = {each.name.value: each for each in fragments if isinstance(each, FragmentDefinitionNode)}
    assert [field.name.value for field in _find_fields([operation.selection_set], known, {})] == ["id"]
