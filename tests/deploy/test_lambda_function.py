"""The application on AWS Lambda: the real runtime client and emulator, a real mongod, and events as AWS documents them.

deploy/checks/lambda_function.py runs this module and sets RIE and MOTO_SERVER: the emulator, and a Secrets Manager.
"""

import gzip
import json
import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from botocore.session import get_session  # type: ignore[import-untyped]  # botocore has no types

from database.client import open_sync_client
from database.embedded import EmbeddedServer
from database.environment import Credentials, DatabaseEnvironment
from database.index import COLLECTION
from database.provision import provision
from gateway.lambda_function import FUNCTION_BYTES, LOAD_BALANCER_BYTES
from schema.context import read_clock_ms
from tests.deploy.lambda_environment import LambdaEnvironment, run_lambda
from tests.issuer import AUDIENCE, ISSUER, SigningKey, render_key_set
from tests.waiting import find_free_port, wait_until

# More than 6 MB of JSON; each row has a test card number.
ROWS = 25_000
CARD = "4111111111111111"
HOUR_MS = 3_600_000
AWS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": secrets.token_hex(8),
    "AWS_SESSION_TOKEN": secrets.token_hex(8),
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
}


@dataclass(frozen=True)
class Served:
    """An environment, and its database with the administrator's credentials."""

    environment: LambdaEnvironment
    admin: DatabaseEnvironment


@pytest.fixture(scope="module")
def served(mongod: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An environment whose database holds rows of the last two days, and whose requests carry a JWT."""
    folder = tmp_path_factory.mktemp("lambda")
    admin = replace(mongod.admin, database=f"lambda_{secrets.token_hex(8)}")
    owner, reader = Credentials("owner", secrets.token_urlsafe()), Credentials("reader", secrets.token_urlsafe())
    provision(admin, owner=owner, reader=reader)
    with open_sync_client(admin.with_credentials(owner)) as client:
        client[admin.database][COLLECTION].insert_many(_build_row(number) for number in range(ROWS))
    key = SigningKey("one")
    (folder / "jwks.json").write_text(render_key_set(key))
    token = key.sign(scope="transactions:read", exp=read_clock_ms() // 1000 + 3600)
    jwt = {"ISSUER": ISSUER, "AUDIENCE": AUDIENCE, "JWKS": str(folder / "jwks.json")}
    variables = {f"GATEWAY_JWT_{name}": value for name, value in jwt.items()}
    with (
        keep_secret(json.dumps({"mongo-uri": admin.with_credentials(reader).connection_uri})) as secret,
        run_lambda(folder, {"authorization": f"Bearer {token}"}, **AWS, **secret, **variables) as environment,
    ):
        yield Served(environment, admin)


def _build_row(number: int) -> dict[str, Any]:
    return {
        "_id": f"{number:08}-0000-4000-8000-000000000000",
        # The first thousand fall within the last day, the others in the day before.
        "date": read_clock_ms() - number - (HOUR_MS if number < 1_000 else 30 * HOUR_MS),
        "currency": "EUR",
        "amount": 12.5 + number % 1_000,
        "vendor": 'Café "Zur Post"',
        "address": "Lindenstraße 7\n80331 München\nDeutschland",
        "cardType": "Visa" if number % 2 else "Maestro",
        "cardNumber": CARD,
        "countryOrigin": "DE" if number % 4 else "US",
    }


@contextmanager
def keep_secret(text: str) -> Iterator[dict[str, str]]:
    """Store a text in a Secrets Manager, and yield the variables that lead to it."""
    url = f"http://127.0.0.1:{find_free_port()}"
    command = [os.environ["MOTO_SERVER"], "--port", url.rpartition(":")[2]]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: _answers(url), "the Secrets Manager")
            client = get_session().create_client(
                "secretsmanager",
                region_name=AWS["AWS_REGION"],
                endpoint_url=url,
                aws_access_key_id=AWS["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=AWS["AWS_SECRET_ACCESS_KEY"],
            )
            arn = client.create_secret(Name="mongo-uri", SecretString=text)["ARN"]
            yield {"AWS_ENDPOINT_URL": url, "MONGO_URI_SECRET_ARN": arn}
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/moto-api/").is_success
    except httpx.TransportError:
        return False


def test_an_http_api_is_answered_at_the_four_paths(served: Served) -> None:
    """The four paths respond to events of an HTTP API as they do over HTTP."""
    ask = served.environment.ask
    rows = ask("/transactions/1").json()
    assert len(rows) == 1_000
    assert {row["cardNumber"] for row in rows} == {"************1111"}
    assert ask("/transactions/1/card/vISA").json() == {"count": 500}
    assert {row["countryOrigin"] for row in ask("/transactions/1/country/usa").json()} == {"US"}
    assert len(ask("/transactions/1/amount/100/199.50").json()) == 100


def test_a_load_balancer_is_answered_alike(served: Served) -> None:
    """A load balancer's event gets the same response as an HTTP API's."""
    for path in ("/transactions/1?country=US&limit=7", "/transactions/1/card/Visa", "/transactions/x"):
        by_api, by_balancer = served.environment.ask(path), served.environment.ask_by_load_balancer(path)
        assert by_balancer.status == by_api.status
        assert _without_id(by_balancer.json()) == _without_id(by_api.json())
        assert by_balancer.headers.get("link") == by_api.headers.get("link")


def _without_id(answer: Any) -> Any:
    return {**answer, "request_id": None} if isinstance(answer, dict) else answer


def test_graphql_is_answered(served: Served) -> None:
    """A GraphQL request by POST gets the media type that it accepts."""
    body = {"query": '{ transactions(first: 2, filter: {days: 1, cardType: "Visa"}) { totalCount nodes { amount } } }'}
    answer = served.environment.ask("/graphql", body=body, accept="application/graphql-response+json")
    assert answer.headers["content-type"].startswith("application/graphql-response+json")
    assert answer.json()["data"]["transactions"]["totalCount"] == 500
    assert len(answer.json()["data"]["transactions"]["nodes"]) == 2


def test_a_link_leads_through_all_pages(served: Served) -> None:
    """Following Link from a page of the recommended size yields every row once."""
    path, seen = "/transactions/3?limit=10000", []
    while path:
        answer = served.environment.ask(path)
        seen += [row["_id"] for row in answer.json()]
        link = re.match(r"<https://gateway\.example(/[^>]+)>", answer.headers.get("link", ""))
        path = link[1] if link else ""
    assert len(seen) == len(set(seen)) == ROWS


def test_too_large_an_answer_is_an_error_that_names_the_pages(served: Served) -> None:
    """A response over Lambda's 6 MB, or a load balancer's 1 MB, is a 400 naming the limit and a usable page size."""
    for answer, most, rows in (
        (served.environment.ask("/transactions/3"), FUNCTION_BYTES, 10_000),
        (served.environment.ask_by_load_balancer("/transactions/3"), LOAD_BALANCER_BYTES, 1_000),
    ):
        assert answer.status == 400
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "ANSWER_NOT_DELIVERABLE"
        assert f"{most} bytes" in answer.json()["detail"]
        assert f"`limit={rows}`, then with `after`" in answer.json()["detail"]
    advised = served.environment.ask_by_load_balancer("/transactions/3?limit=1000")
    assert len(advised.json()) == 1_000


def test_letters_beyond_ascii_count_as_they_are_handed_over(served: Served) -> None:
    """A response of 4 MB in UTF-8 that Lambda's runtime writes as over 6 MB is an error; its pages are delivered."""
    with open_sync_client(served.admin) as client:
        collection = client[served.admin.database][COLLECTION]
        row = {"countryOrigin": "JP", "address": "東京都" * 200}
        collection.insert_many(_build_row(ROWS + number) | row for number in range(2_000))
        try:
            answer = served.environment.ask("/transactions/3/country/JP")
            assert answer.json()["code"] == "ANSWER_NOT_DELIVERABLE"
            page = served.environment.ask("/transactions/3/country/JP?limit=1000")
            assert [row["address"] for row in page.json()] == ["東京都" * 200] * 1_000
        finally:
            collection.delete_many({"countryOrigin": "JP"})


def test_too_large_an_answer_of_graphql_names_its_pages(served: Served) -> None:
    """The error at /graphql has GraphQL's shape, and names `first` and `after`."""
    addresses = " ".join(f"address{number}: address" for number in range(10))
    body = {"query": f"{{ transactions(first: 10000, filter: {{days: 3}}) {{ nodes {{ id {addresses} }} }} }}"}
    (error,) = served.environment.ask("/graphql", body=body).json()["errors"]
    assert error["extensions"]["code"] == "ANSWER_NOT_DELIVERABLE"
    assert "`first: 10000`, then again with `after`" in error["message"]


def test_what_fits_when_compressed_is_delivered(served: Served) -> None:
    """The same list is delivered to clients that accept gzip."""
    answer = served.environment.ask("/transactions/3", accept_encoding="gzip")
    assert answer.status == 200
    assert len(json.loads(gzip.decompress(answer.body))) == ROWS


def test_events_are_refused(served: Served) -> None:
    """An endless stream is an error instead of a timeout."""
    answer = served.environment.ask("/transactions/live", accept="text/event-stream")
    assert answer.json()["code"] == "ANSWER_NOT_DELIVERABLE"


def test_connections_survive(served: Served) -> None:
    """Later events reuse the database connections of the first."""
    served.environment.ask("/transactions/1/card/Visa")
    before = _list_connections(served.admin)
    for _ in range(5):
        assert served.environment.ask("/transactions/1/card/Visa").status == 200
    assert before
    assert before <= _list_connections(served.admin)


def _list_connections(admin: DatabaseEnvironment) -> set[int]:
    """Return the ids of the connections that the reader has authenticated."""
    pipeline: list[dict[str, Any]] = [
        {"$currentOp": {"allUsers": True, "idleConnections": True}},
        {"$match": {"effectiveUsers": {"user": "reader", "db": admin.database}}},
    ]
    with open_sync_client(admin) as client:
        return {operation["connectionId"] for operation in client.admin.aggregate(pipeline)}


def test_a_stranger_is_not_answered(served: Served) -> None:
    """Without a valid token the function responds with 401, whatever the HTTP API's authoriser let through."""
    assert served.environment.ask("/transactions/1", authorization="Bearer none").status == 401


def test_the_client_is_who_the_load_balancer_says(served: Served) -> None:
    """The client address is the load balancer's, not one that the client wrote into X-Forwarded-For."""
    served.environment.ask_by_load_balancer("/transactions/1/card/Visa")
    lines = [json.loads(line) for line in served.environment.read_log().splitlines() if line.startswith("{")]
    assert {line["client"] for line in lines if "client" in line} == {"203.0.113.7"}


def test_a_strange_event_is_answered(served: Served) -> None:
    """An event of another kind, or one that breaks the adapter, is an error with status 500."""
    broken = {"version": "2.0", "requestContext": {"http": {}}, "headers": {"host": f"h:{CARD}-"}}
    events: tuple[object, ...] = ({"Records": []}, broken, [], "text")
    for event in events:
        assert served.environment.invoke(event)["statusCode"] == 500


def test_no_card_number_is_logged(served: Served) -> None:
    """A card number in a path, query, header or row is in no log line that Lambda keeps."""
    written = f"{CARD[:4]} {CARD[4:8]} {CARD[8:12]} {CARD[12:]}"
    for number in (CARD, written.replace(" ", "%20"), written.replace(" ", "-")):
        served.environment.ask(f"/transactions/1/card/{number}")
        served.environment.ask(f"/transactions/1?card={number}")
        served.environment.ask(f"/{number}", host=f"{number}:{number}")
        served.environment.ask("/graphql", body={"query": f'{{ transaction(id: "{number}") {{ id }} }}'})
    log = served.environment.read_log()
    assert "Traceback" not in log
    assert CARD not in re.sub(r"[^0-9]", "", re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+", "", log))
    assert '"route"' in log
