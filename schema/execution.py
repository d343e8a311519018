"""Run operations as graphql-core does, except that lists of rows are encoded whole, not field by field."""

from collections.abc import AsyncIterable, Callable, Iterable
from contextlib import suppress
from functools import partial
from inspect import isawaitable
from typing import Any, cast

from graphql import GraphQLList, GraphQLObjectType, GraphQLOutputType, GraphQLResolveInfo, get_named_type
from graphql.execution.collect_fields import FieldDetailsList
from graphql.pyutils import AwaitableOrValue, Path, RefMap, UndefinedType
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from database.query import Order
from schema.chunk import yield_in_chunks
from schema.connection import Listing, TransactionConnection
from schema.federation import EntityList
from schema.shape import (
    TRANSACTION_COLUMNS,
    Column,
    RowShape,
    build_cursor_column,
    build_node_column,
    build_typename_column,
)


class RowExecutor(StrawberryGraphQLCoreExecutionContext):
    """graphql-core's executor with a fast path for rows: what a shape cannot express is executed field by field."""

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: object,
        field_details_list: FieldDetailsList,
        path: Path,
        position_context: RefMap[Any, Any] | None,
    ) -> AwaitableOrValue[Any] | UndefinedType:
        """Return a field's value; for a connection's `nodes` and `edges` it may be a list of EncodedRows."""
        execute = partial(super().execute_field, parent_type, source, field_details_list, path, position_context)
        if (
            isinstance(source, TransactionConnection)
            and self.context_value.encodes_rows
            and field_details_list[0].node.name.value in {"nodes", "edges"}
        ):
            row_type = get_named_type(parent_type.fields[field_details_list[0].node.name.value].type)
            return self._encode_rows(source.listing, cast("GraphQLObjectType", row_type), field_details_list, execute)
        return execute()

    def complete_list_value(
        self,
        return_type: GraphQLList[GraphQLOutputType],
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: AsyncIterable[Any] | Iterable[Any],
        position_context: RefMap[Any, Any] | None,
    ) -> AwaitableOrValue[list[Any]]:
        """Return a list's items; those of `_entities` may be EncodedRows."""
        complete = partial(super().complete_list_value, return_type, field_details_list, info, path)
        if not isinstance(result, EntityList):
            return complete(result, position_context)
        # Each item is executed before the next is requested, so that the event loop can do other work.
        execute = partial(complete, yield_in_chunks(result, self.context_value.chunk_lock), position_context)
        return self._encode_entities(result, field_details_list, execute)

    async def _encode_entities(
        self,
        entities: EntityList,
        fields: FieldDetailsList,
        execute: Callable[[], AwaitableOrValue[list[Any]]],
    ) -> list[Any]:
        if self.context_value.encodes_rows:
            with suppress(Exception):
                row_type = cast("GraphQLObjectType", self.schema.type_map["Transaction"])
                return await entities.encode(self._build_shape(row_type, fields), self.context_value.chunk_lock)
        completed = execute()
        return await completed if isawaitable(completed) else completed

    async def _encode_rows(
        self,
        listing: Listing,
        row_type: GraphQLObjectType,
        fields: FieldDetailsList,
        execute: Callable[[], AwaitableOrValue[Any] | UndefinedType],
    ) -> object:
        # Whatever fails here (the selection, the database, an unusual row), execution reports it at its path.
        with suppress(Exception):
            return await listing.encode_rows(self._build_shape(row_type, fields, listing.order))
        completed = execute()
        return await completed if isawaitable(completed) else completed

    def _build_shape(
        self, row_type: GraphQLObjectType, fields: FieldDetailsList, order: Order | None = None
    ) -> RowShape:
        """Return the shape of one field's selection; raises KeyError if columns cannot express it."""
        columns: dict[str, Column] = {}
        for response_name, inner in self.collect_subfields(row_type, fields).grouped_field_set.items():
            match inner[0].node.name.value:
                case "__typename":
                    columns[response_name] = build_typename_column(row_type.name)
                case "cursor" if order:
                    columns[response_name] = build_cursor_column(order)
                case "node":
                    node = self._build_shape(
                        cast("GraphQLObjectType", get_named_type(row_type.fields["node"].type)), inner
                    )
                    columns[response_name] = build_node_column(tuple(node.columns.items()))
                case name:
                    columns[response_name] = TRANSACTION_COLUMNS[name]
        if not columns:
            raise KeyError(row_type.name)
        return RowShape(columns)
