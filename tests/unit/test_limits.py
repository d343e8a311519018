"""The limits that look at a document alone count exactly, wherever in it something stands."""

import pytest
from graphql import DirectiveNode, DocumentNode, Visitor, parse, print_ast, visit
from hypothesis import given
from hypothesis import strategies as st

from schema.budget import RowBudget, TooManyRowsError
from schema.document.definition import find_nodes
from schema.document.directives import TooManyDirectivesError, check_directives
from schema.document.introspection import IntrospectionDisabledError, check_introspection
from schema.limits import Limits
from schema.schema import build_schema

directives = st.lists(st.sampled_from(["@skip(if: false)", "@include(if: true)", "@other"]), max_size=2).map(" ".join)
names = st.sampled_from(["a", "b: c", "d(e: [{f: 1}])", "__typename"])
leaves = st.builds("{} {}".format, names, directives) | st.builds("...f {}".format, directives)
selections = st.recursive(
    leaves,
    lambda inner: st.builds(
        "{} {} {{ {} }}".format,
        st.sampled_from(["g", "h: i", "...", "... on T"]),
        directives,
        st.lists(inner, min_size=1, max_size=3).map(" ".join),
    ),
    max_leaves=10,
)
documents = st.builds(
    "query q($v: Boolean {}) {} {{ {} }} fragment f on T {} {{ {} }}".format,
    directives,
    directives,
    selections,
    directives,
    selections,
).map(parse)


class DirectiveCounter(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def enter_directive(self, *_: object) -> None:
        self.count += 1


@given(documents)
def test_directives_are_counted_wherever_they_stand(document: DocumentNode) -> None:
    """As many directives as graphql-core's own visitor meets are taken, and one fewer is not."""
    counter = DirectiveCounter()
    visit(document, counter)
    assert len(list(find_nodes(document, DirectiveNode))) == counter.count
    check_directives(document, counter.count)
    if counter.count:
        with pytest.raises(TooManyDirectivesError):
            check_directives(document, counter.count - 1)


@given(document=documents, root=st.sampled_from(["__schema", "__type", "_service"]), is_aliased=st.booleans())
def test_introspection_is_found_wherever_it_stands(document: DocumentNode, root: str, *, is_aliased: bool) -> None:
    """A document without introspection passes, and none does once its `__typename` is another of these fields."""
    check_introspection(document)
    text = print_ast(document)
    asking = parse(text.replace("__typename", f"alias: {root}" if is_aliased else root))
    if "__typename" in text:
        with pytest.raises(IntrospectionDisabledError, match=root):
            check_introspection(asking)
    else:
        check_introspection(asking)


@given(st.lists(st.integers(0, 100)), st.integers(0, 500))
def test_a_budget_is_for_all_pages_together(pages: list[int], most: int) -> None:
    """Pages are taken as long as their sum is within the budget; once beyond it, nothing may be asked any more."""
    budget = RowBudget(most)
    for place, rows in enumerate(pages):
        if sum(pages[: place + 1]) <= most:
            budget.take(rows)
            budget.check()
            continue
        with pytest.raises(TooManyRowsError, match=str(most)):
            budget.take(rows)
        with pytest.raises(TooManyRowsError):
            budget.check()


@given(st.text(st.characters(codec="utf-8"), max_size=50), st.integers(0, 200))
def test_a_document_is_measured_in_bytes(comment: str, most: int) -> None:
    """The length of a document is that of its UTF-8."""
    text = "{ __typename } # " + comment.replace("\n", " ").replace("\r", " ")
    faults = build_schema(Limits(document_bytes=most)).find_faults(text)
    assert faults == (
        [f"The document has more than {most} bytes; send shorter documents."] if len(text.encode()) > most else []
    )
