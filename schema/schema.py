"""Puts the schema together: types, scalars, limits. What else is needed comes with each request's context."""

from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from schema.extensions.document import PreparedDocuments, build_preparation
from schema.extensions.operation import NotedOperation
from schema.limits import Limits
from schema.query import Query
from schema.scalar import SCALARS
from schema.types import read_field


class TransactionSchema(strawberry.Schema):
    """The schema, which leaves the reporting of errors to whoever asked: schema/failure.py says what each one is."""

    def __init__(self, limits: Limits) -> None:
        """Hold operations to `limits`; one schema per process is enough, it holds the cache of prepared documents."""
        self._limits = limits
        self._prepare = build_preparation(limits)
        super().__init__(
            query=Query,
            extensions=[lambda: PreparedDocuments(self._prepare), NotedOperation],
            config=StrawberryConfig(scalar_map=SCALARS, default_resolver=read_field),
        )

    def find_faults(self, text: str) -> list[str]:
        """Give what is wrong with a document, whatever its variables; none when its operations can be asked."""
        try:
            _, errors = self._prepare(text, self._schema)
        except GraphQLError as error:
            errors = (error,)
        return [error.message for error in errors]

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Do nothing: Strawberry would log callers' mistakes with stack traces."""

    def _get_custom_context_kwargs(
        self, operation_extensions: dict[str, Any] | None = None, *, sync: bool = False
    ) -> dict[str, Any]:
        # Strawberry has no setting for it: errors in variables name what is like a wrong name, as a schema would.
        hidden = {"hide_suggestions": not self._limits.introspection}
        return super()._get_custom_context_kwargs(operation_extensions, sync=sync) | hidden


def build_schema(limits: Limits | None = None) -> TransactionSchema:
    """Give the executable schema, with the limits' defaults when none are given."""
    return TransactionSchema(limits or Limits())
