"""The limits that depend on the document alone count exactly, wherever things stand in it."""

from collections.abc import Callable

import pytest
from graphql import DirectiveNode, DocumentNode, Visitor, parse, print_ast, visit
from hypothesis import given
from hypothesis import strategies as st

from schema.budget import RowBudget, TooManyRowsError
from schema.document.aliases import TooManyAliasesError
from schema.document.definition import find_nodes
from schema.document.directives import TooManyDirectivesError, check_directives
from schema.document.introspection import IntrospectionDisabledError, check_introspection
from schema.document.repeats import check_repeats
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
    """As many directives as graphql-core's own visitor finds are accepted, and a limit one lower is exceeded."""
    counter = DirectiveCounter()
    visit(document, counter)
    assert len(list(find_nodes(document, DirectiveNode))) == counter.count
    check_directives(document, counter.count)
    if counter.count:
        with pytest.raises(TooManyDirectivesError):
            check_directives(document, counter.count - 1)


@given(document=documents, root=st.sampled_from(["__schema", "__type", "_service"]), is_aliased=st.booleans())
def test_introspection_is_found_wherever_it_stands(document: DocumentNode, root: str, *, is_aliased: bool) -> None:
    """A document without introspection passes; with `__typename` replaced by an introspection field it is refused."""
    check_introspection(document)
    text = print_ast(document)
    asking = parse(text.replace("__typename", f"alias: {root}" if is_aliased else root))
    if "__typename" in text:
        with pytest.raises(IntrospectionDisabledError, match=root):
            check_introspection(asking)
    else:
        check_introspection(asking)


@pytest.mark.parametrize(
    "build",
    [
        lambda n: "{" + "a " * n + "}",
        lambda n: "{" + "...{ a { b } } " * n + "}",
        lambda n: "{" + "a { b b } " * (n // 2) + "a { b } " * (n % 2) + "}",
        lambda n: "{" + "...F a " * (n - 1) + "} fragment F on Query { ...G } fragment G on Query { a }",
        lambda n: "{ ...F0 } " + "".join(f"fragment F{i} on Query {{ a ...F{i + 1} }} " for i in range(n)),
        lambda n: "{ b } fragment F on Query {" + "a " * n + "} fragment F on Query { b }",
    ],
    ids=["alone", "inline", "below", "spread", "fragments", "twice"],
)
def test_repeats_are_counted_where_they_come_together(build: Callable[[int], str]) -> None:
    """Selections of one response field up to the limit pass, wherever they stand, and one more fails."""
    check_repeats(parse(build(12)), 12)
    with pytest.raises(TooManyAliasesError, match="repeats one field more than 12 times"):
        check_repeats(parse(build(13)), 12)


def test_a_field_may_be_selected_once_where_none_may_be_repeated() -> None:
    """With an alias limit of 0, a document without repeats is still accepted."""
    assert build_schema(Limits(aliases=0)).find_faults("{ transactions { nodes { id } } }") == []


def test_fragments_that_meet_in_too_many_places_are_refused() -> None:
    """Fragments whose combinations multiply at each level are refused without visiting all combinations."""
    width, levels = 7, 6
    fields = {i: [f"a{j} {{ ...F{i}_%d }}" for j in range(width) if j != i] for i in range(width)}
    document = "{" + "".join(f"...F{i}_0 " for i in range(width)) + "}"
    for level in range(levels):
        for i in range(width):
            document += f"fragment F{i}_{level} on Query {{ {' '.join(fields[i]) % ((level + 1,) * (width - 1))} }}"
    with pytest.raises(TooManyAliasesError, match="fragments' fields too often"):
        check_repeats(parse(document), 30)


@given(st.lists(st.integers(0, 100)), st.integers(0, 500))
def test_a_budget_is_for_all_pages_together(pages: list[int], most: int) -> None:
    """Pages are accepted while their sum is within the budget; beyond it, no query is allowed any more."""
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
    """A document's length is measured in UTF-8 bytes."""
    text = "{ __typename } # " + comment.replace("\n", " ").replace("\r", " ")
    faults = build_schema(Limits(document_bytes=most)).find_faults(text)
    assert faults == (
        [f"The document has more than {most} bytes; send shorter documents."] if len(text.encode()) > most else []
    )
