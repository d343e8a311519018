"""The schemas of responses in the OpenAPI document, by their names in its components, with examples."""

from typing import Any

from gateway.problems import PROBLEMS
from schema.types import MAY_BE_MISSING

ROW = {
    "_id": "7c2f1b1e-9a34-4d56-8b0c-0d8a1f4f7d21",
    "date": 1795436220000,
    "currency": "USD",
    "amount": 129.95,
    "vendor": "Acme Ltd",
    "address": "1 Main Street\nSpringfield, IL 62701",
    "cardType": "Visa",
    "cardNumber": "************1111",
    "countryOrigin": "US",
}
_DESCRIPTIONS = {
    "_id": "UUID.",
    "date": "Milliseconds since the epoch, UTC.",
    "currency": "ISO 4217.",
    "amount": "Two decimals, in the currency.",
    "vendor": "Who was paid; left out where the database does not say.",
    "address": "The vendor's, with line breaks; left out where the database does not say.",
    "cardType": "The card's brand.",
    "cardNumber": "Masked but for its last four digits, unless the caller has the scope `cards:read`.",
    "countryOrigin": "ISO 3166-1 alpha-2.",
}
_TYPES = {"date": {"type": "integer", "format": "int64"}, "amount": {"type": "number", "format": "double"}}
_GROUP = {
    "cardType": "Visa",
    "day": "2026-03-29T00:00:00+01:00",
    "count": 2,
    "amounts": [
        {
            "currency": "USD",
            "count": 2,
            "sum": "130.00",
            "average": "65.00",
            "min": "0.05",
            "max": "129.95",
            "percentiles": [{"percentile": "95", "value": "129.95"}],
        }
    ],
}
SCHEMAS: dict[str, Any] = {
    "Transaction": {
        "type": "object",
        "properties": {
            name: {**_TYPES.get(name, {"type": "string"}), "description": text} for name, text in _DESCRIPTIONS.items()
        },
        "required": [name for name in _DESCRIPTIONS if name not in MAY_BE_MISSING],
        "example": ROW,
    },
    "Count": {
        "type": "object",
        "properties": {"count": {"type": "integer", "minimum": 0}},
        "required": ["count"],
        "example": {"count": 1234},
    },
    "Summary": {
        "type": "object",
        "properties": {
            "groups": {"type": "array", "items": {"$ref": "#/components/schemas/SummaryGroup"}},
            "omitted": {
                "type": "integer",
                "minimum": 0,
                "description": "Matching transactions in no group, because amount, currency or date is malformed.",
            },
        },
        "required": ["groups", "omitted"],
        "example": {"groups": [_GROUP], "omitted": 0},
    },
    "SummaryGroup": {
        "type": "object",
        "description": "In addition the keys of `groupBy`, as strings; null if the transactions lack one. Texts that "
        "differ only in case are one group. A unit of time is given by its start, with the zone's offset, and a "
        "range of amounts by its start: `20.00`, or null for amounts below 0.",
        "properties": {
            "count": {"type": "integer", "minimum": 0, "description": "0 if the group fills a gap in time."},
            "amounts": {"type": "array", "items": {"$ref": "#/components/schemas/AmountSummary"}},
        },
        "required": ["count", "amounts"],
        "additionalProperties": {"type": ["string", "null"]},
        "example": _GROUP,
    },
    "AmountSummary": {
        "type": "object",
        "description": "The amounts in one currency, exact decimals as strings: most readers of JSON numbers would "
        "lose digits. The average is rounded half to even at 34 digits. Null if there are no amounts.",
        "properties": {
            "currency": {"type": "string"},
            "count": {"type": "integer", "minimum": 0},
            "sum": {"type": "string", "format": "decimal"},
            **{name: {"type": ["string", "null"], "format": "decimal"} for name in ("average", "min", "max")},
            "percentiles": {
                "type": "array",
                "description": "By nearest rank, in the requested order.",
                "items": {
                    "type": "object",
                    "properties": {
                        "percentile": {"type": "string", "format": "decimal"},
                        "value": {"type": ["string", "null"], "format": "decimal"},
                    },
                    "required": ["percentile", "value"],
                },
            },
        },
        "required": ["currency", "count", "sum", "average", "min", "max", "percentiles"],
    },
    "Health": {
        "type": "object",
        "properties": {"status": {"type": "string"}},
        "required": ["status"],
    },
    "GraphQLErrors": {
        "type": "object",
        "properties": {
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "message": {"type": "string"},
                        "locations": {"type": "array", "items": {"type": "object"}},
                        "path": {"type": "array", "items": {"type": ["string", "integer"]}},
                        "extensions": {
                            "type": "object",
                            "properties": {
                                "code": {"type": "string", "enum": list(PROBLEMS)},
                                "request_id": {"type": "string"},
                            },
                            "required": ["code", "request_id"],
                        },
                    },
                    "required": ["message", "extensions"],
                },
            },
        },
        "required": ["errors"],
    },
    "Problem": {
        "type": "object",
        "description": "RFC 9457.",
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "instance": {"type": "string", "format": "uri-reference"},
            "code": {"type": "string", "enum": list(PROBLEMS)},
            "request_id": {"type": "string"},
        },
        "required": ["type", "title", "status", "detail", "instance", "code", "request_id"],
    },
}
