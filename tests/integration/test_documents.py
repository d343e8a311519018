"""GraphQL documents by hash: those of a manifest and no others, or those that callers have sent before."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from database.environment import DatabaseEnvironment
from gateway.documents import load_documents
from gateway.errors import PersistedQueryNotFoundError
from schema.schema import build_schema
from tests.persisted import BOTH, COUNT, NAME, ask, build_extension, digest, find_code
from tests.process import run_gateway
from tests.waiting import find_free_port, wait_until


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_document_is_remembered_once_it_was_sent_with_its_hash(client: httpx.Client, method: str) -> None:
    """Apollo's protocol: a hash alone is unknown until sent with its document, then suffices, with any variables."""
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
    """`documentId` finds a remembered document, with the specification's prefix or without."""
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
    """A document that fails or is too large is not remembered and must be sent each time."""
    extension = build_extension(digest(text))
    assert find_code(ask(client, "POST", query=text, extensions=extension)) == code
    assert find_code(ask(client, "POST", extensions=extension)) == "PERSISTED_QUERY_NOT_FOUND"


def test_the_oldest_document_is_forgotten_first() -> None:
    """A worker remembers a bounded number of documents and forgets the least recently used."""
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
    """A document sent to one worker is known by its hash at every worker."""
    extension, port, clients = build_extension(digest(NAME)), find_free_port(), list[httpx.Client]()

    def count_asked() -> int:
        """Open one more client, and return how many workers hold a client connection."""
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
    """The number of shared files is bounded; a later worker continues with them and checks each against its hash."""
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
    """A hash of another document, a malformed one, or no document at all is an invalid request."""
    response = ask(client, "POST", **parameters)
    assert find_code(response) == "GRAPHQL_REQUEST_INVALID"


def test_the_hash_of_another_document_is_told_in_apollos_words(client: httpx.Client) -> None:
    """A mismatched hash gets Apollo's error text, which its clients look for."""
    response = ask(client, "POST", query=NAME, extensions=build_extension(digest(COUNT)))
    assert "provided sha does not match query" in response.text
