"""The schema as a subgraph of Apollo Federation 2: its entity type, and the entities that a router requests.

Specification: https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/subgraph-spec.
"""

import asyncio
from collections.abc import Sequence
from functools import lru_cache, partial
from itertools import groupby
from typing import Annotated, Literal, cast

import strawberry
from graphql import GraphQLSchema, GraphQLUnionType
from strawberry.schema.base import BaseSchema

from database.errors import InvalidRepresentationError, quote_value
from database.kept_rows import KeptRows
from database.query import Page
from database.row import Row
from schema.context import RequestContext
from schema.encoded import EncodedRows
from schema.resolvers import find_transactions
from schema.shape import PageEncoder, RowShape
from schema.types import Transaction

# The oldest version with the features used here, so that every Federation 2 router accepts it.
FEDERATION_VERSION: Literal["2.0"] = "2.0"
# An error can be a hundred times as long as the representation it reports: beyond this many, only one is reported.
_MOST_FAULTS = 100

# Strawberry's own `_Any` has no description.
ANY = strawberry.scalar(
    name="_Any", description="A representation: an object with `__typename` and the fields of the type's key."
)

Entity = Annotated[
    Transaction, strawberry.union("_Entity", description="What an Apollo Federation router may request by its key.")
]


@strawberry.type(name="_Service", description="This gateway as a subgraph of Apollo Federation.")
class Service:
    sdl: str = strawberry.field(description="The schema in GraphQL's schema definition language.")


class EntityList(list[Row | InvalidRepresentationError | None]):
    """For each representation: its row, None if no transaction has its id, or the error in it."""

    async def encode(self, shape: RowShape, chunk_lock: asyncio.Lock) -> list[EncodedRows | None]:
        """Return the items of the JSON list; raises an exception of any type if the shape cannot express one."""
        # A shape of `__typename` alone reads no field and would encode an error as a row.
        if any(isinstance(entity, InvalidRepresentationError) for entity in self):
            raise TypeError
        items: list[EncodedRows | None] = []
        for is_missing, run in groupby(self, key=lambda entity: entity is None):
            if is_missing:
                items += cast("list[None]", list(run))
            else:
                rows = KeptRows()
                rows.add(found := cast("list[Row]", list(run)), partial(list, found))
                items += await PageEncoder(shape, Page()).finish(rows.number, rows.load, chunk_lock)
        return items


async def find_entities(context: RequestContext, representations: Sequence[object], keys: frozenset[str]) -> EntityList:
    """Return the entities of the representations, in order, with one database query.

    Raises:
        InvalidRepresentationError: more than _MOST_FAULTS of them are invalid; it names the first.
    """
    context.budget.check()
    read = [_read_id(representation, number) for number, representation in enumerate(representations)]
    faults = [each for each in read if isinstance(each, InvalidRepresentationError)]
    if len(faults) > _MOST_FAULTS:
        raise faults[0]
    rows = iter(
        await find_transactions(context.repository, [row_id for row_id in read if isinstance(row_id, str)], keys)
    )
    return EntityList(next(rows) if isinstance(row_id, str) else row_id for row_id in read)


@lru_cache(maxsize=1)
def print_sdl(schema: BaseSchema) -> str:
    """Return the schema in GraphQL's schema definition language, ending with a line break; the text is cached."""
    return schema.as_str() + "\n"


def resolve_entities(schema: GraphQLSchema) -> None:
    """Resolve every `_Entity` to Transaction, changing the schema in place: rows are documents without a class."""
    cast("GraphQLUnionType", schema.type_map["_Entity"]).resolve_type = lambda *_: "Transaction"


def _read_id(representation: object, number: int) -> str | InvalidRepresentationError:
    match representation:
        # GraphQL's ID accepts whole numbers too.
        case {"__typename": "Transaction", "id": str(row_id) | int(row_id)} if not isinstance(row_id, bool):
            return str(row_id)
        case {"__typename": "Transaction"}:
            fault = "has no id that is a text"
        case {"__typename": str(name)}:
            fault = f"is of the type {quote_value(name)}, which is not an entity here"
        case dict():
            fault = "has no __typename"
        case _:
            fault = "is not an object"
    return InvalidRepresentationError(
        f'representations[{number}] {fault}; give one such as {{"__typename": "Transaction", "id": "…"}}.'
    )
