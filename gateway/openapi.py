"""Builds the OpenAPI document: FastAPI's from the routes, with the schemas, tags and security that FastAPI lacks."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from gateway.openapi_schemas import SCHEMAS

TITLE = "Transactions gateway"
DESCRIPTION = (
    "The card transactions in a MongoDB collection, by REST and by GraphQL, on the same resolvers. "
    "Errors are RFC 9457 problems; `code` is stable and has a page at `/errors/<code>`."
)

_TAGS = [
    {"name": "transactions", "description": "Lists, counts, summaries and live events."},
    {"name": "graphql", "description": "The same queries, and more, in one schema."},
    {"name": "health", "description": "For probes and load balancers."},
    {"name": "errors", "description": "What the error codes mean."},
]
_PUBLIC_PATHS = ("/health/", "/errors/")
_SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key or a JWT; a gateway on loopback may be open to all. `X-API-Key` takes a key too.",
    }
}


def build_document(app: FastAPI) -> dict[str, Any]:
    """Build an application's OpenAPI document, once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            license_info={"name": "MIT", "identifier": "MIT"},
            tags=_TAGS,
        )
        for path, operations in document["paths"].items():
            for operation in operations.values():
                operation["security"] = [] if path.startswith(_PUBLIC_PATHS) else [{"bearer": []}, {}]
                # FastAPI's own form of validation errors, which no path returns.
                operation["responses"].pop("422", None)
                for parameter in operation.get("parameters", ()):
                    parameter["schema"].pop("title", None)
                    parameter["schema"].pop("description", None)
        document["components"] = {"schemas": SCHEMAS, "securitySchemes": _SECURITY_SCHEMES}
        app.openapi_schema = document
    return app.openapi_schema
