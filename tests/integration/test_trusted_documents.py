"""With a manifest only its documents are executed, by identifier, hash or text."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from graphql import get_introspection_query

from database.errors import ConfigurationError
from gateway.documents import load_documents
from gateway.pages import DOCUMENTS
from schema.limits import Limits
from schema.schema import build_schema
from tests.conftest import ServedDatabase
from tests.persisted import BOTH, COUNT, MODERN, NAME, ask, build_extension, digest, find_code
from tests.process import run_gateway
from tests.waiting import find_free_port

# The manifest of graphql-codegen with its default hashes (Relay's has the same form), and that of Apollo's tool.
PLAIN = {hashlib.sha1(BOTH.encode()).hexdigest(): BOTH, "sha256:" + digest(COUNT): COUNT}  # noqa: S324 - not for security
APOLLO = {
    "format": "apollo-persisted-query-manifest",
    "version": 1,
    "operations": [
        {"id": identifier, "name": "Count", "type": "query", "body": text} for identifier, text in PLAIN.items()
    ],
}


@pytest.fixture(scope="module", params=[PLAIN, APOLLO], ids=["plain", "apollo"])
def trusting(
    served: ServedDatabase, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[httpx.Client]:
    """A client of a gateway with a manifest."""
    served.collection.delete_many({})
    folder = tmp_path_factory.mktemp("trusting")
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps(request.param))
    with (
        run_gateway(served.owner, find_free_port(), folder, GATEWAY_TRUSTED_DOCUMENTS=str(manifest)) as gateway,
        httpx.Client(base_url=gateway.url) as client,
    ):
        yield client


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize(
    "named",
    [
        {"documentId": next(iter(PLAIN))},
        {"documentId": "sha256:" + digest(COUNT)},
        {"documentId": digest(COUNT)},
        {"extensions": build_extension(digest(COUNT))},
        {"documentId": "sha256:" + digest(BOTH)},
        {"query": COUNT},
        {"query": BOTH, "extensions": build_extension(digest(BOTH))},
        {"query": COUNT, "extensions": build_extension(digest(COUNT))},
    ],
    ids=str,
)
def test_a_trusted_document_is_answered(trusting: httpx.Client, method: str, named: dict[str, Any]) -> None:
    """A document of the manifest is executed by identifier, Apollo's extension, exact text, or two of them."""
    response = ask(trusting, method, **named, operationName="Count", variables={"days": 1})
    assert response.json() == {"data": {"transactions": {"totalCount": 0}}}


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("media_type", [MODERN, "application/json"])
@pytest.mark.parametrize(
    "named",
    [
        {"query": "{ __typename }"},
        {"query": COUNT + " "},
        {"query": get_introspection_query()},
        {"query": "{"},
        {"query": NAME, "extensions": build_extension(digest(NAME))},
        {"extensions": build_extension(digest(NAME))},
        {"documentId": "unknown"},
        {"documentId": "x-own:" + digest(COUNT)},
    ],
    ids=lambda named: str(named)[:40],
)
def test_no_other_document_is_answered(
    trusting: httpx.Client, method: str, media_type: str, named: dict[str, Any]
) -> None:
    """A document outside the manifest gets 403, however it is sent, and is never remembered."""
    for _ in range(2):
        assert find_code(ask(trusting, method, media_type=media_type, **named)) == "DOCUMENT_NOT_TRUSTED"


@pytest.mark.parametrize(
    "document",
    [pytest.param(text, id=text.split("(")[0].strip()) for text in orjson.loads(DOCUMENTS.read_bytes()).values()],
)
def test_the_explorer_asks_what_is_trusted(trusting: httpx.Client, document: str) -> None:
    """Each operation of the explorer is accepted beside the manifest's, and is within the default limits."""
    response = ask(trusting, "POST", query=document).json()
    codes = {error["extensions"]["code"] for error in response.get("errors", ())}
    # Subscriptions over plain HTTP, and operations without their variables, fail later.
    assert codes <= {"NOT_ACCEPTABLE", "GRAPHQL_VARIABLES_INVALID"}
    assert build_schema(Limits(introspection=False)).find_faults(document) == []


def test_the_text_of_another_trusted_document_is_refused(trusting: httpx.Client) -> None:
    """An identifier with the text of another document is an error, even if both are trusted."""
    response = ask(trusting, "POST", query=BOTH, extensions=build_extension(digest(COUNT)))
    assert find_code(response) == "GRAPHQL_REQUEST_INVALID"


FAULTY: list[tuple[Any, str]] = [
    ("{", "is not JSON"),
    ([], "is not a JSON object"),
    ({}, "holds no document"),
    ({"abc": 1}, "'abc', which is not a text"),
    (APOLLO | {"version": 2}, "of version 1"),
    (APOLLO | {"operations": {}}, "a list of operations"),
    (APOLLO | {"operations": [{"id": "a", "body": NAME}, {"id": "b"}]}, "operations[1]"),
    (APOLLO | {"operations": [{"id": "a", "body": NAME}, {"id": "a", "body": COUNT}]}, "operations[1]"),
    ({"abc": "{"}, "abc: Syntax Error"),
    ({"abc": NAME, "bcd": "{ transactions { nothing } }"}, "bcd: Cannot query field 'nothing'"),
    ({"abc": "mutation { drop }"}, "abc: "),
    ({"abc": "{ a: __typename b: __typename }"}, "abc: The operation has more than 1 aliases"),
    ({"abc": "{ __schema { description } }"}, "abc: The document asks for __schema"),
]


@pytest.mark.parametrize(("manifest", "fault"), FAULTY, ids=[fault for _, fault in FAULTY])
def test_a_faulty_manifest_is_named(tmp_path: Path, manifest: object, fault: str) -> None:
    """The error names the file, the document in it and its fault, limits included."""
    path = tmp_path / "manifest.json"
    path.write_text(manifest if isinstance(manifest, str) else json.dumps(manifest))
    with pytest.raises(ConfigurationError) as caught:
        load_documents(path, build_schema(Limits(aliases=1, introspection=False)))
    assert str(path) in str(caught.value)
    assert "GATEWAY_TRUSTED_DOCUMENTS" in str(caught.value)
    assert fault in str(caught.value)


def test_a_faulty_manifest_ends_the_start(served: ServedDatabase, tmp_path: Path) -> None:
    """The server reports the fault in a few lines and does not listen."""
    (tmp_path / "manifest.json").write_text(json.dumps({"abc": "{ nothing }"}))
    (tmp_path / "db_envs.yaml").write_text(f"mongo_uri: {served.owner.connection_uri}\n")
    done = subprocess.run(
        [Path(sys.executable).with_name("gateway"), "serve", "--port", "0"],
        cwd=tmp_path,
        env={**os.environ, "GATEWAY_TRUSTED_DOCUMENTS": "manifest.json"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "gateway: The manifest of trusted documents (GATEWAY_TRUSTED_DOCUMENTS), manifest.json, has documents that "
        "cannot be answered:\n  abc: Cannot query field 'nothing' on type 'Query'.\n"
    )
