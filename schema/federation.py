"""The schema as a subgraph of Apollo Federation 2: which entity it has, and the entities that a router asks for.

It follows https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/subgraph-spec.
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

# The oldest that has what is used, so that every router of Federation 2 takes it.
FEDERATION_VERSION: Literal["2.0"] = "2.0"
# Each is told in a hundred times the bytes that it may take: beyond these, one stands for all.
_MOST_FAULTS = 100

# Strawberry's own has no description.
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
    """For each representation its row, None for an id that is not there, or what is wrong with it."""

    async def encode(self, shape: RowShape, turn: asyncio.Lock) -> list[EncodedRows | None]:
        """Give the items of the JSON list; raises some exception when the shape does not take one."""
        # A shape that reads no field, of `__typename` alone, would take what is wrong for a row.
        if any(isinstance(entity, InvalidRepresentationError) for entity in self):
            raise TypeError
        items: list[EncodedRows | None] = []
        for is_missing, run in groupby(self, key=lambda entity: entity is None):
            if is_missing:
                items += cast("list[None]", list(run))
            else:
                rows = KeptRows()
                rows.add(found := cast("list[Row]", list(run)), partial(list, found))
                items += await PageEncoder(shape, Page()).finish(rows.number, rows.load, turn)
        return items


async def find_entities(context: RequestContext, representations: Sequence[object], keys: frozenset[str]) -> EntityList:
    """Give the entities of representations in their order, for which the database is asked once.

    Raises:
        InvalidRepresentationError: more than _MOST_FAULTS of them are not valid; it names the first.
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
    """Give the schema in GraphQL's schema definition language, ending with a line break; it is printed once."""
    return schema.as_str() + "\n"


def resolve_entities(schema: GraphQLSchema) -> None:
    """Have entities be taken for what they are: rows are documents, which no class tells."""
    cast("GraphQLUnionType", schema.type_map["_Entity"]).resolve_type = lambda *_: "Transaction"


def _read_id(representation: object, number: int) -> str | InvalidRepresentationError:
    match representation:
        # GraphQL's ID takes whole numbers too.
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
