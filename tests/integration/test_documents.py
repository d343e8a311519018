"""Documents by their hash: those of a manifest and no others, or those that callers have sent before."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import orjson
import psutil
import pytest
from graphql import get_introspection_query

from database.environment import DatabaseEnvironment
from database.errors import ConfigurationError
from gateway.documents import load_documents
from gateway.errors import PersistedQueryNotFoundError
from gateway.pages import DOCUMENTS
from gateway.problems import PROBLEMS
from schema.limits import Limits
from schema.schema import build_schema
from tests.conftest import ServedDatabase
from tests.process import run_gateway
from tests.waiting import find_free_port, wait_until

MODERN = "application/graphql-response+json"
COUNT = "query Count($days: Int) { transactions(filter: {days: $days}) { totalCount } }"
NAME = "query Name { __typename }"
BOTH = f"{COUNT} {NAME}"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def ask(client: httpx.Client, method: str, *, media_type: str = MODERN, **parameters: object) -> httpx.Response:
    """Send a GraphQL request, by POST or GET."""
    headers = {"Accept": media_type}
    if method == "POST":
        return client.post("/graphql", json=parameters, headers=headers)
    texts = {
        name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items() if value
    }
    return client.get("/graphql", params=texts, headers=headers)


def build_extension(name: str) -> dict[str, object]:
    return {"persistedQuery": {"version": 1, "sha256Hash": name}}


def find_code(response: httpx.Response) -> str | None:
    """Give the code of an answer's error, after checking that the status is the code's."""
    if "errors" not in response.json():
        assert response.status_code == 200
        return None
    code: str = response.json()["errors"][0]["extensions"]["code"]
    assert response.status_code == PROBLEMS[code].status
    return code


@pytest.fixture(scope="module")
def client(served: ServedDatabase) -> Iterator[httpx.Client]:
    """Asks a gateway without a manifest."""
    served.collection.delete_many({})
    with httpx.Client(base_url=served.gateway.url) as client:
        yield client


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_document_is_remembered_once_it_was_sent_with_its_hash(client: httpx.Client, method: str) -> None:
    """Apollo's protocol: the hash alone is unknown, then sent with its document, then enough; variables still vary."""
    text = f"# {method}\n{BOTH}"
    extension = build_extension(digest(text))
    unknown = ask(client, method, media_type="application/json", extensions=extension, operationName="Count")
    assert unknown.status_code == 200
    (error,) = unknown.json()["errors"]
    assert (error["message"], error["extensions"]["code"]) == ("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")
    assert find_code(ask(client, method, extensions=extension)) == "PERSISTED_QUERY_NOT_FOUND"
    count = {"data": {"transactions": {"totalCount": 0}}}
    sent = ask(client, method, query=text, extensions=extension, operationName="Count", variables={"days": 1})
    assert sent.json() == count
    known = ask(client, method, extensions=extension, operationName="Count", variables={"days": 2})
    assert known.json() == count
    assert known.headers["cache-control"] == "no-store"
    assert find_code(ask(client, method, extensions=extension, operationName="Count", variables={"days": -1}))
    assert ask(client, method, extensions=extension, operationName="Name").json()["data"] == {"__typename": "Query"}


@pytest.mark.parametrize("prefix", ["", "sha256:"])
def test_an_identifier_of_graphql_over_http_is_a_hash_too(client: httpx.Client, prefix: str) -> None:
    """`documentId` asks for what was remembered, with the prefix of the specification or without."""
    text = f"# {prefix}\n{NAME}"
    identifier = prefix + digest(text)
    assert find_code(ask(client, "POST", documentId=identifier)) == "PERSISTED_QUERY_NOT_FOUND"
    assert find_code(ask(client, "POST", documentId=identifier, query=text)) is None
    assert ask(client, "GET", documentId=identifier).json() == {"data": {"__typename": "Query"}}
    assert find_code(ask(client, "GET", extensions=build_extension(digest(text)))) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ " + "x " * 3_000 + "}", "QUERY_TOO_LONG"),
        ("{ __typename } #" + "x" * 10_000, None),
    ],
)
def test_what_is_invalid_or_large_is_not_remembered(client: httpx.Client, text: str, code: str | None) -> None:
    """A document that fails, or takes too much room, must be sent each time."""
    extension = build_extension(digest(text))
    assert find_code(ask(client, "POST", query=text, extensions=extension)) == code
    assert find_code(ask(client, "POST", extensions=extension)) == "PERSISTED_QUERY_NOT_FOUND"


def test_the_oldest_document_is_forgotten_first() -> None:
    """A worker remembers a bounded number of documents, those that were asked for last."""
    documents = load_documents(None, build_schema())
    names = [str(place) for place in range(501)]
    for name in names:
        documents.remember(name, NAME)
        documents.remember(names[0], NAME)
    for name in (names[0], *names[2:]):
        assert documents.get_text(None, name) == NAME
    with pytest.raises(PersistedQueryNotFoundError):
        documents.get_text(None, names[1])


def test_what_one_worker_was_sent_all_know(reader_environment: DatabaseEnvironment, tmp_path: Path) -> None:
    """On connections of its own, which end at either worker, each request by the hash alone is answered."""
    extension, port, clients = build_extension(digest(NAME)), find_free_port(), list[httpx.Client]()

    def count_asked() -> int:
        """Give how many workers have a connection of a client, after one more has come."""
        clients.append(stack.enter_context(httpx.Client(base_url=gateway.url)))
        clients[-1].get("/health/live")
        workers = psutil.Process(gateway.process.pid).children(recursive=True)
        return sum(any(is_clients(each, port) for each in worker.net_connections()) for worker in workers)

    with run_gateway(reader_environment, port, tmp_path, 2) as gateway, ExitStack() as stack:
        wait_until(lambda: count_asked() == 2, "both workers")
        assert find_code(ask(clients[0], "POST", query=NAME, extensions=extension)) is None
        answers = [ask(client, "POST", extensions=extension).json() for client in clients]
    assert answers == [{"data": {"__typename": "Query"}}] * len(clients)


def is_clients(connection: Any, port: int) -> bool:
    return bool(connection.status == psutil.CONN_ESTABLISHED and connection.laddr.port == port)


def test_what_workers_share_is_bounded_and_checked(tmp_path: Path) -> None:
    """There are as many files as are remembered; a later worker goes on with them, and trusts no name but a hash."""
    shared = tmp_path / "documents"
    documents = load_documents(None, build_schema(), shared)
    texts = [f"# {place}\n{NAME}" for place in range(501)]
    for text in texts:
        documents.remember(digest(text), text)
    assert len(list(shared.iterdir())) == 500

    later = load_documents(None, build_schema(), shared)
    assert later.get_text(None, digest(texts[-1])) == texts[-1]
    later.remember(digest(NAME), NAME)
    assert len(list(shared.iterdir())) == 500
    assert documents.get_text(None, digest(NAME)) == NAME

    for name, content in {digest(COUNT): NAME, "../outside": COUNT}.items():
        (shared / name).write_text(content)
        with pytest.raises(PersistedQueryNotFoundError):
            documents.get_text(None, name)


@pytest.mark.parametrize(
    "parameters",
    [
        {"query": NAME, "extensions": build_extension(digest(COUNT))},
        {"query": NAME, "extensions": build_extension(digest(NAME).upper())},
        {"query": NAME, "documentId": "sha256:" + digest(COUNT)},
        {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": digest(NAME)}}},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": 1}}},
        {"extensions": {"persistedQuery": {"version": 1}}},
        {"extensions": {"persistedQuery": "x"}},
        {"extensions": build_extension(digest(NAME)), "documentId": digest(NAME)},
        {"documentId": 1, "query": NAME},
        {"documentId": None},
        {"extensions": {}},
    ],
    ids=str,
)
def test_a_hash_that_does_not_fit_is_refused(client: httpx.Client, parameters: dict[str, Any]) -> None:
    """A hash of another document, one of an unknown form, or none at all, is no request."""
    response = ask(client, "POST", **parameters)
    assert find_code(response) == "GRAPHQL_REQUEST_INVALID"


def test_the_hash_of_another_document_is_told_in_apollos_words(client: httpx.Client) -> None:
    """Clients look for these words."""
    response = ask(client, "POST", query=NAME, extensions=build_extension(digest(COUNT)))
    assert "provided sha does not match query" in response.text


# graphql-codegen, with its default hashes; Relay is the same with others; Apollo's tool.
PLAIN = {hashlib.sha1(BOTH.encode()).hexdigest(): BOTH, "sha256:" + digest(COUNT): COUNT}  # noqa: S324 - not for safety
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
    """Asks a gateway with a manifest."""
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
    """A document of the manifest is asked for by its identifier, Apollo's extension, its exact text, or two of them."""
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
    """What is not in the manifest is refused with 403, however it is asked for, and never remembered."""
    for _ in range(2):
        assert find_code(ask(trusting, method, media_type=media_type, **named)) == "DOCUMENT_NOT_TRUSTED"


@pytest.mark.parametrize(
    "document",
    [pytest.param(text, id=text.split("(")[0].strip()) for text in orjson.loads(DOCUMENTS.read_bytes()).values()],
)
def test_the_explorer_asks_what_is_trusted(trusting: httpx.Client, document: str) -> None:
    """Each operation of the explorer is answered beside the manifest's, and suits the limits as they are by default."""
    response = ask(trusting, "POST", query=document).json()
    codes = {error["extensions"]["code"] for error in response.get("errors", ())}
    # Subscriptions and operations with variables are not whole like this.
    assert codes <= {"NOT_ACCEPTABLE", "GRAPHQL_VARIABLES_INVALID"}
    assert build_schema(Limits(introspection=False)).find_faults(document) == []


def test_the_text_of_another_trusted_document_is_refused(trusting: httpx.Client) -> None:
    """An identifier beside the text of another document is a fault, even where both are trusted."""
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
    """The error names the file and, in it, the document and its fault; limits are among them."""
    path = tmp_path / "manifest.json"
    path.write_text(manifest if isinstance(manifest, str) else json.dumps(manifest))
    with pytest.raises(ConfigurationError) as caught:
        load_documents(path, build_schema(Limits(aliases=1, introspection=False)))
    assert str(path) in str(caught.value)
    assert "GATEWAY_TRUSTED_DOCUMENTS" in str(caught.value)
    assert fault in str(caught.value)


def test_a_faulty_manifest_ends_the_start(served: ServedDatabase, tmp_path: Path) -> None:
    """The server says in a few lines what is wrong and does not listen."""
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
