"""Rewrites a GraphQL document with aliases, fragments, directives and variables, whose values may be wrong."""

import random
from typing import Any, TypeVar

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    NamedTypeNode,
    NameNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    visit,
)

from tests.reference import NODE

_Node = TypeVar("_Node", bound=Node)
_FIELDS = {
    "Transaction": set(NODE.split()),
    "TransactionConnection": {"nodes", "edges", "pageInfo", "totalCount"},
    "TransactionEdge": {"cursor", "node"},
    "PageInfo": {"hasNextPage", "hasPreviousPage", "startCursor", "endCursor"},
}
_ARGUMENTS = {
    "filter": "TransactionFilter",
    "orderBy": "TransactionOrder",
    "first": "Int",
    "last": "Int",
    "after": "String",
    "before": "String",
}


class Paraphrase(Visitor):
    """One paraphrase of one document.

    Attributes:
        variables: the values to send with it.
    """

    def __init__(self, chance: random.Random, word: str) -> None:
        super().__init__()
        self.variables: dict[str, Any] = {}
        self._chance = chance
        self._word = word
        self._fragments: list[FragmentDefinitionNode] = []
        self._declared: list[VariableDefinitionNode] = []

    def rewrite(self, document: DocumentNode) -> DocumentNode:
        document = visit(document, self)
        definitions = [_name_operation(each, self._declared) for each in document.definitions]
        return DocumentNode(definitions=(*definitions, *self._fragments))

    def leave_field(self, node: FieldNode, *_: object) -> FieldNode:
        if self._chance.random() < 0.2:
            alias = self._chance.choice(["a", "b", "id", "__typename", f"n{self._chance.randrange(10**16)}"])
            node = _replace(node, alias=NameNode(value=alias))
        if self._chance.random() < 0.15:
            name = self._chance.choice(["include", "skip", "skip", "deprecated", "defer", "nothing"])
            condition = BooleanValueNode(value=self._chance.random() < 0.5)
            argument = ArgumentNode(name=NameNode(value="if"), value=condition)
            directive = DirectiveNode(name=NameNode(value=name), arguments=(argument,))
            node = _replace(node, directives=(directive,) * self._chance.choice([1, 1, 2, 60]))
        return node

    def leave_selection_set(self, node: SelectionSetNode, *_: object) -> SelectionSetNode:
        names = {each.name.value for each in node.selections if isinstance(each, FieldNode)}
        kind = next((kind for kind, own in _FIELDS.items() if names & own), "Query")
        condition = NamedTypeNode(name=NameNode(value=kind))
        if self._chance.random() < 0.2:
            return SelectionSetNode(selections=(InlineFragmentNode(type_condition=condition, selection_set=node),))
        if self._chance.random() < 0.2:
            name = NameNode(value=f"f{len(self._fragments)}")
            self._fragments.append(FragmentDefinitionNode(name=name, type_condition=condition, selection_set=node))
            return SelectionSetNode(selections=(FragmentSpreadNode(name=name),))
        return node

    def leave_argument(self, node: ArgumentNode, *_: object) -> ArgumentNode:
        kind = _ARGUMENTS.get(node.name.value)
        if kind is None or self._chance.random() < 0.6:
            return node
        name = NameNode(value=f"v{len(self._declared)}")
        variable = VariableNode(name=name)
        self._declared.append(VariableDefinitionNode(variable=variable, type=NamedTypeNode(name=NameNode(value=kind))))
        values = [None, 1, 10, -1, 2**31, 1.5, True, self._word, [self._word], {"days": 90}, {"cardType": self._word}]
        self.variables[name.value] = self._chance.choice(values)
        return _replace(node, value=variable)


def _replace(node: _Node, **changes: object) -> _Node:
    members = {key: getattr(node, key) for key in node.keys if key != "loc"}
    return type(node)(**(members | changes))


def _name_operation(node: Any, declared: list[VariableDefinitionNode]) -> Any:
    if not isinstance(node, OperationDefinitionNode) or not declared:
        return node
    return _replace(node, name=NameNode(value="Q"), variable_definitions=tuple(declared))
