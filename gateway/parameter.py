"""The parameters of the REST paths, as the OpenAPI document shows them, and the rejection of unknown ones.

All are passed on as text: schema/filter.py, not this module, validates values, for REST and GraphQL alike.
"""

from typing import Annotated, cast

from fastapi import Path, Query, Request
from fastapi.openapi.models import Example
from pydantic import WithJsonSchema
from starlette.convertors import Convertor, register_url_convertor

from database.errors import InvalidParameterError, quote_value
from gateway.export import MEDIA_TYPES
from gateway.route import DirectRoute
from schema.filter import MAX_CARD_TYPE_LENGTH, MAX_DAYS
from schema.page import MAX_ROWS


class _Segment(Convertor[str]):
    """One segment of a path; it may be empty, so that an empty value gets an error that says what is accepted."""

    regex = "[^/]*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("segment", _Segment())

TEXT = WithJsonSchema({"type": "string", "minLength": 1})
_AMOUNT = WithJsonSchema({"type": "number"})
_CARD_TYPE = WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_CARD_TYPE_LENGTH})
_COUNTRY = WithJsonSchema({"type": "string", "pattern": "^[A-Za-z]{2,3}$"})
_CARD_TYPE_TEXT = "The card's brand, in upper or lower case."
_COUNTRY_TEXT = "ISO 3166-1 alpha-2 or alpha-3, in upper or lower case."


def _build_example(value: object) -> dict[str, Example]:
    return {"example": {"value": value}}


DaysPath = Annotated[
    str,
    WithJsonSchema({"type": "integer", "minimum": 0, "maximum": MAX_DAYS}),
    Path(
        description="The last n days of 24 hours, up to the moment the request arrives.",
        openapi_examples=_build_example(90),
    ),
]
CardTypePath = Annotated[
    str,
    _CARD_TYPE,
    Path(alias="cardType", description=_CARD_TYPE_TEXT, openapi_examples=_build_example("Visa")),
]
CountryPath = Annotated[str, _COUNTRY, Path(description=_COUNTRY_TEXT, openapi_examples=_build_example("US"))]
MinPath = Annotated[
    str, _AMOUNT, Path(alias="min", description="Smallest amount, inclusive.", openapi_examples=_build_example(100))
]
MaxPath = Annotated[
    str, _AMOUNT, Path(alias="max", description="Largest amount, inclusive.", openapi_examples=_build_example(999))
]

LimitQuery = Annotated[
    str | None,
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MAX_ROWS}),
    Query(
        description="The number of rows in a page; the Link header has the next page. All rows if omitted.",
        openapi_examples=_build_example(20),
    ),
]
AfterQuery = Annotated[
    str | None,
    TEXT,
    Query(description="Only rows after this one: the cursor of a Link header, or `date,_id` of a row."),
]
UntilQuery = Annotated[
    str | None,
    TEXT,
    Query(description="The end of the window, in ms since the epoch or in ISO 8601; the request's arrival if omitted."),
]
FormatQuery = Annotated[
    str | None,
    WithJsonSchema({"type": "string", "enum": list(MEDIA_TYPES)}),
    Query(alias="format", description="Answers with a file to download, in this format, whatever Accept says."),
]
TrailerQuery = Annotated[
    str | None,
    WithJsonSchema({"type": "boolean", "default": False}),
    Query(description="NDJSON and CSV end with a line that says that the list is whole, and how many rows it has."),
]
CardQuery = Annotated[str | None, _CARD_TYPE, Query(description=_CARD_TYPE_TEXT)]
CountryQuery = Annotated[str | None, _COUNTRY, Query(description=_COUNTRY_TEXT)]
MinQuery = Annotated[str | None, _AMOUNT, Query(alias="minAmount", description="Smallest amount, inclusive.")]
MaxQuery = Annotated[str | None, _AMOUNT, Query(alias="maxAmount", description="Largest amount, inclusive.")]


def check_parameters(request: Request) -> None:
    """Reject parameters that the route does not take: ignoring a misspelt filter would return the wrong rows."""
    known = cast("DirectRoute", request.scope["route"]).parameters
    accepted = f"this path takes {', '.join(known)}" if known else "this path takes none"
    seen = set()
    for name, _ in request.query_params.multi_items():
        if name not in known:
            raise InvalidParameterError(f"{quote_value(name)} is not a query parameter here; {accepted}.")
        if name in seen:
            raise InvalidParameterError(f"{name} is given more than once; give it once.")
        seen.add(name)
