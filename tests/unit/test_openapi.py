"""The OpenAPI document describes each response as client generators need it."""

import json
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLNonNull, GraphQLObjectType, build_schema

from database.query import FIELDS
from gateway.contract import build_openapi
from schema.sdl import build_sdl

README = (Path(__file__).parents[2] / "README.md").read_text()
DOCUMENT: dict[str, Any] = json.loads(build_openapi())
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}
MEDIA_TYPES_OF_COLUMNS = {"application/vnd.apache.parquet", "application/vnd.apache.arrow.stream"}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_every_answer_has_a_shape(operation: dict[str, Any]) -> None:
    """Each media type of each response has a schema, except the binary columnar formats."""
    for status, response in operation["responses"].items():
        assert response["content"], status
        for media_type, content in response["content"].items():
            assert content.get("schema") or media_type in MEDIA_TYPES_OF_COLUMNS, (status, media_type)


def test_live_transactions_are_never_json() -> None:
    """A generated client does not parse an endless event stream as JSON."""
    assert list(OPERATIONS["GET /transactions/live"]["responses"]["200"]["content"]) == ["text/event-stream"]


def test_a_row_has_the_fields_that_are_answered() -> None:
    """A row's properties, and its example's, are the document's keys, in order."""
    transaction = DOCUMENT["components"]["schemas"]["Transaction"]
    assert tuple(transaction["properties"]) == tuple(transaction["example"]) == FIELDS


def test_what_graphql_may_leave_null_rest_may_leave_out() -> None:
    """A row's required properties are the fields that are never null in GraphQL."""
    transaction = build_schema(build_sdl(), assume_valid_sdl=True).type_map["Transaction"]
    assert isinstance(transaction, GraphQLObjectType)
    certain = {name for name, field in transaction.fields.items() if isinstance(field.type, GraphQLNonNull)}
    assert set(DOCUMENT["components"]["schemas"]["Transaction"]["required"]) == certain - {"id"} | {"_id"}


def test_a_code_without_a_page_is_documented() -> None:
    """The page of an error code is plain text, and an unknown code gets a 404 problem."""
    responses = OPERATIONS["GET /errors/{code}"]["responses"]
    assert list(responses["200"]["content"]) == ["text/plain"]
    assert list(responses["404"]["content"]) == ["application/problem+json"]


def test_who_is_to_wait_is_told_how_long() -> None:
    """The responses that carry Retry-After are documented with it."""
    responses = OPERATIONS["GET /transactions/{days}"]["responses"]
    assert {status for status, response in responses.items() if "Retry-After" in response.get("headers", {})} == {
        "429",
        "503",
    }


def test_the_readme_lists_each_path_of_transactions() -> None:
    """README.md lists every path below /transactions."""
    paths = [path for path in DOCUMENT["paths"] if path.startswith("/transactions")]
    assert [path for path in paths if f"| `{path}" not in README] == []


def test_an_operation_says_whether_it_needs_credentials() -> None:
    """Operations without credentials declare that explicitly, and each tag is explained."""
    public = {name for name, operation in OPERATIONS.items() if operation["security"] == []}
    assert public == {"GET /health/live", "GET /health/ready", "GET /errors/{code}"}
    assert {tag["name"] for tag in DOCUMENT["tags"]} == {
        tag for operation in OPERATIONS.values() for tag in operation["tags"]
    }
