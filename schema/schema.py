"""Puts the schema together: types, scalars, limits. What else is needed comes with each request's context."""

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from schema.extensions.document import PreparedDocuments, build_preparation
from schema.limits import Limits
from schema.query import Query
from schema.scalar import SCALARS
from schema.types import read_field


class TransactionSchema(strawberry.Schema):
    """The schema, which leaves the reporting of errors to whoever asked: schema/failure.py says what each one is."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Do nothing: Strawberry would log callers' mistakes with stack traces."""


def build_schema(limits: Limits | None = None) -> TransactionSchema:
    """Give the executable schema; one per process is enough, it holds the cache of prepared documents."""
    prepare = build_preparation(limits or Limits())
    return TransactionSchema(
        query=Query,
        extensions=[lambda: PreparedDocuments(prepare)],
        config=StrawberryConfig(scalar_map=SCALARS, default_resolver=read_field),
    )
