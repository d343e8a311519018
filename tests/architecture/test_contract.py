"""The checked-in contract and its pages match the code."""

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, introspection_types, specified_scalar_types

from database.errors import GatewayError
from database.group_key import GroupKey
from database.query import Order
from database.summary import SummaryOrder
from gateway import contract, server
from gateway import errors as http_errors
from gateway.problems import PROBLEMS
from schema import budget, failure
from schema.document import aliases, depth, directives, introspection, preparation
from schema.sdl import build_sdl, find_breaking_changes
from schema.summary import SummaryKey, SummaryOrderChoice
from schema.types import TransactionOrder
from seeding import error as seeding_error

ROOT = Path(__file__).parents[2]
OF_GRAPHQL = {*introspection_types, *specified_scalar_types}
# These codes end a command of the command line; no request can cause them.
COMMAND_LINE_CODES = {"INVALID_CONFIGURATION", "EMBEDDED_SERVER", "CONTRACT", "SERVER_START", "SEEDING"}


def find_codes(kind: type[GatewayError]) -> set[str]:
    own = {kind.code} if "code" in vars(kind) else set()
    return own.union(*(find_codes(child) for child in kind.__subclasses__()))


def test_every_error_of_a_request_is_in_the_table() -> None:
    """Each error class that a request can meet has a row in the table, and each row a class or a phase behind it."""
    # Subclasses are found only once their modules are imported.
    assert all(
        (http_errors, aliases, depth, directives, introspection, preparation, budget, contract, server, seeding_error)
    )
    phases = {"GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "GRAPHQL_VARIABLES_INVALID", failure.INTERNAL_ERROR}
    requests = find_codes(GatewayError) - COMMAND_LINE_CODES
    assert requests | phases == set(PROBLEMS)


def test_each_problem_has_its_page() -> None:
    """docs/errors holds exactly one page per code, the same as the gateway serves."""
    pages = {path.stem: path.read_text() for path in (ROOT / "docs/errors").iterdir()}
    assert pages == {problem.code: problem.render_page() for problem in PROBLEMS.values()}


def find_elements(kind: Any) -> Iterator[Any]:
    """Yield a type and its parts: fields with their arguments, input fields, enum values."""
    yield kind
    for member in (*getattr(kind, "fields", {}).values(), *getattr(kind, "values", {}).values()):
        yield member
        yield from getattr(member, "args", {}).values()


def test_a_removed_field_is_a_breaking_change() -> None:
    """The check that protects clients reports breaking changes and lets additions pass."""
    sdl = build_sdl()
    field = '\n  """The country of origin, ISO 3166-1 alpha-2."""\n  countryOrigin: String!\n'
    without = sdl.replace(field, "")
    assert find_breaking_changes(sdl, without) == ["Field Transaction.countryOrigin was removed."]
    assert find_breaking_changes(without, sdl) == []
    assert find_breaking_changes(sdl, sdl) == []


@pytest.mark.parametrize(
    ("shown", "known"), [(TransactionOrder, Order), (SummaryKey, GroupKey), (SummaryOrderChoice, SummaryOrder)]
)
def test_each_choice_of_graphql_is_the_databases(shown: type[Enum], known: type[Enum]) -> None:
    """GraphQL's choices for ordering and grouping are the database's, by name and in order."""
    assert list(shown.__members__) == list(known.__members__)


def test_everything_in_the_schema_is_described() -> None:
    """Every type, field, argument and enum value of the schema has a description."""
    schema = build_schema(build_sdl(), assume_valid_sdl=True)
    own = [each for name, each in schema.type_map.items() if name not in OF_GRAPHQL]
    bare = [element for kind in own for element in find_elements(kind) if not element.description]
    assert not bare
