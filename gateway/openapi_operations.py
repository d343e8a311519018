"""The parts of the OpenAPI document's operations that FastAPI cannot derive: responses, examples, problems.

The routes refer to these descriptions, which refer to the schemas of gateway/openapi_schemas.py.
"""

import json
from typing import Any

from gateway.openapi_schemas import ROW
from gateway.problems import PROBLEMS, RETRY_AFTER_SECONDS

_TEXT_OF_ROW = ",".join(ROW) + "\r\n"


def _describe_problem(code: str, detail: str, instance: str = "/transactions/90") -> dict[str, Any]:
    problem = PROBLEMS[code]
    example = {
        "type": f"/errors/{code}",
        "title": problem.title,
        "status": problem.status.value,
        "detail": detail,
        "instance": instance,
        "code": code,
        "request_id": "0f8fad5bd9cb469fa16570867728950e",
    }
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
    retry = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds.", "example": RETRY_AFTER_SECONDS}}
    return {
        "description": problem.meaning,
        "content": {"application/problem+json": content},
        **({"headers": retry} if code in {"DATABASE_UNAVAILABLE", "TOO_MANY_REQUESTS"} else {}),
    }


_PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    PROBLEMS[code].status.value: _describe_problem(code, detail)
    for code, detail in (
        ("INVALID_DAYS", "days is '-5', which is negative; give a whole number from 0 to 36500, such as 90."),
        ("UNAUTHENTICATED", "This needs valid credentials: send an API key or a JWT as `Authorization: Bearer …`."),
        ("FORBIDDEN", "This needs the scope transactions:read, which the caller does not have."),
        ("HOST_NOT_SERVED", "Host is not this machine's; without authentication the gateway answers for localhost."),
        ("TOO_MANY_REQUESTS", "At most 6000 requests are taken in a minute; try again in 7 s."),
        ("NOT_ACCEPTABLE", "Accept allows none of this path's media types: application/json."),
        ("DATABASE_UNAVAILABLE", "The database does not answer."),
        ("DATABASE_TIMEOUT", "The database did not finish in time."),
    )
}
_PROBLEM_RESPONSES[400]["description"] = (
    "A parameter is not valid: `code` and `detail` say which, and what is accepted."
)
_EXAMPLE_QUERY = '{ transactions(filter: {days: 90, cardType: "Visa"}) { totalCount } }'
_GRAPHQL_RESPONSE = {
    "description": "The result: `data`, and `errors` if something failed, each with a code as in problems. As "
    "events (graphql-sse, distinct connections): each result, of which a subscription has many, and the end.",
    "content": {
        **{
            media_type: {
                "schema": {"type": "object"},
                "example": {"data": {"transactions": {"totalCount": 1234}}},
            }
            for media_type in ("application/json", "application/graphql-response+json")
        },
        "text/event-stream": {"schema": {"type": "string"}},
    },
}
_GRAPHQL_ERRORS = {
    "description": "No result: `errors` alone, with a status, and a code as in problems.",
    "content": {
        media_type: {"schema": {"$ref": "#/components/schemas/GraphQLErrors"}}
        for media_type in ("application/json", "application/graphql-response+json")
    },
}
GRAPHQL_GET: dict[str, Any] = {
    "parameters": [
        {
            "name": "query",
            "in": "query",
            "schema": {"type": "string"},
            "description": "A GraphQL document; a browser that sends none gets GraphiQL.",
            "example": _EXAMPLE_QUERY,
        },
        {"name": "documentId", "in": "query", "schema": {"type": "string"}, "description": "A known document's hash."},
        {"name": "variables", "in": "query", "schema": {"type": "string"}, "description": "A JSON object."},
        {"name": "operationName", "in": "query", "schema": {"type": "string"}, "description": "One of the document's."},
        {
            "name": "extensions",
            "in": "query",
            "schema": {"type": "string"},
            "description": "A JSON object; `persistedQuery` names a document by its hash.",
        },
    ],
    "responses": {"200": _GRAPHQL_RESPONSE, "default": _GRAPHQL_ERRORS},
}
GRAPHQL_POST: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "query": {"type": "string"},
                        "documentId": {"type": ["string", "null"]},
                        "variables": {"type": ["object", "null"]},
                        "operationName": {"type": ["string", "null"]},
                        "extensions": {"type": ["object", "null"]},
                    },
                    "anyOf": [{"required": [name]} for name in ("query", "documentId", "extensions")],
                },
                "example": {"query": _EXAMPLE_QUERY},
            }
        },
    },
    "responses": {"200": _GRAPHQL_RESPONSE, "default": _GRAPHQL_ERRORS},
}
_HEALTH_RESPONSE = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Health"}}}}
LIVENESS_RESPONSES: dict[int | str, dict[str, Any]] = {200: {"description": "It is alive.", **_HEALTH_RESPONSE}}
READY_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "Requests can be answered.", **_HEALTH_RESPONSE},
    503: _PROBLEM_RESPONSES[503],
}
ERROR_PAGE_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The page, in Markdown.", "content": {"text/plain": {"schema": {"type": "string"}}}},
    404: _describe_problem("NOT_FOUND", "'X' is not an error code; the codes are INVALID_DAYS, …", "/errors/X"),
}
LIST_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The documents, newest first.",
        "headers": {
            "Link": {
                "schema": {"type": "string"},
                "description": 'With `limit`, when rows follow: the next page, rel="next" (RFC 8288).',
            },
            "Content-Disposition": {
                "schema": {"type": "string"},
                "description": "With `format`: an attachment, named after the filter (RFC 6266).",
            },
        },
        "content": {
            "application/json": {
                "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Transaction"}},
                "example": [ROW],
            },
            "application/x-ndjson": {"schema": {"type": "string"}, "example": json.dumps(ROW) + "\n"},
            "text/csv": {"schema": {"type": "string"}, "example": _TEXT_OF_ROW},
            # Binary; only if the gateway was installed with its extra `export`.
            "application/vnd.apache.parquet": {},
            "application/vnd.apache.arrow.stream": {},
        },
    },
    502: _describe_problem("MALFORMED_DOCUMENT", "The transaction 5 has an _id that no cursor can be made of."),
    **_PROBLEM_RESPONSES,
}
COUNT_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The number.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Count"}}},
    },
    **_PROBLEM_RESPONSES,
}
SUMMARY_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The groups.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Summary"}}},
    },
    **_PROBLEM_RESPONSES,
}

LIVE_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-Sent Events, until the client leaves or the gateway stops.",
        "content": {
            "text/event-stream": {
                "schema": {"type": "string"},
                "example": f"event: transaction\nid: xtvJp4JrBL51AAAALCsCKSluBA\ndata: {json.dumps(ROW)}\n\n",
            }
        },
    },
    501: _describe_problem("LIVE_UNAVAILABLE", "The database has no change streams because it is a standalone server."),
    **_PROBLEM_RESPONSES,
}
