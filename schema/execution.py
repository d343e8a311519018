"""Runs operations as graphql-core does, but for lists of rows: those are encoded whole, not field by field."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from inspect import isawaitable
from typing import Any, cast

from graphql import GraphQLObjectType, get_named_type
from graphql.execution.collect_fields import FieldDetailsList
from graphql.pyutils import AwaitableOrValue, Path, RefMap, UndefinedType
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from database.query import Order
from schema.connection import Listing, TransactionConnection
from schema.shape import TRANSACTION_COLUMNS, Column, RowShape, build_cursor_column, build_typename_column


class RowExecutor(StrawberryGraphQLCoreExecutionContext):
    """graphql-core's executor, which remains the judge: what a shape cannot express is executed field by field."""

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: object,
        field_details_list: FieldDetailsList,
        path: Path,
        position_context: RefMap[Any, Any] | None,
    ) -> AwaitableOrValue[Any] | UndefinedType:
        """Give a field's value; that of a connection's rows may be a list of orjson.Fragment."""
        execute = partial(super().execute_field, parent_type, source, field_details_list, path, position_context)
        if (
            isinstance(source, TransactionConnection)
            and self.context_value.encodes_rows
            and field_details_list[0].node.name.value in {"nodes", "edges"}
        ):
            return self._encode_rows(source.listing, parent_type, field_details_list, execute)
        return execute()

    async def _encode_rows(
        self,
        listing: Listing,
        parent_type: GraphQLObjectType,
        fields: FieldDetailsList,
        execute: Callable[[], AwaitableOrValue[Any] | UndefinedType],
    ) -> object:
        # Whatever fails, the selection, the database or an unusual row: executed, it is told in its place.
        with suppress(Exception):
            return await listing.encode_rows(self._build_shape(parent_type, fields, listing.order))
        completed = execute()
        return await completed if isawaitable(completed) else completed

    def _build_shape(self, parent_type: GraphQLObjectType, fields: FieldDetailsList, order: Order) -> RowShape:
        """Describe what one field's selection makes of its rows; raises KeyError where that has no columns."""
        row_type = cast("GraphQLObjectType", get_named_type(parent_type.fields[fields[0].node.name.value].type))
        columns: dict[str, Column] = {}
        for response_name, inner in self.collect_subfields(row_type, fields).grouped_field_set.items():
            match inner[0].node.name.value:
                case "__typename":
                    columns[response_name] = build_typename_column(row_type.name)
                case "cursor":
                    columns[response_name] = build_cursor_column(order)
                case "node":
                    node = self._build_shape(row_type, inner, order)
                    columns[response_name] = Column(node.write, node.cost)
                case name:
                    columns[response_name] = TRANSACTION_COLUMNS[name]
        if not columns:
            raise KeyError(row_type.name)
        return RowShape(columns)
