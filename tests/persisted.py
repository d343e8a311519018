"""GraphQL requests that identify their document by an id."""

import hashlib
import json

import httpx

from gateway.problems import PROBLEMS

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
    """Return the error code of a response, or None; checks that the status matches the code."""
    if "errors" not in response.json():
        assert response.status_code == 200
        return None
    code: str = response.json()["errors"][0]["extensions"]["code"]
    assert response.status_code == PROBLEMS[code].status
    return code
