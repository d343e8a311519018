"""Assemble the schema from types, scalars and limits. Everything else comes with each request's context."""

from collections.abc import AsyncGenerator, Iterable
from typing import Any, cast

import strawberry
from graphql import GraphQLError, OperationDefinitionNode, execute
from graphql import OperationType as GraphQLOperationType
from strawberry.federation.schema import FederationAny
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.execution import ExecutionResult, PreExecutionError
from strawberry.types.graphql import OperationType
from strawberry.utils.await_maybe import await_maybe

from schema.argument import pass_arguments
from schema.context import RequestContext
from schema.document.operation import list_root_fields
from schema.document.preparation import PreparedDocument, build_preparation
from schema.execution import RowExecutor
from schema.federation import ANY, FEDERATION_VERSION, resolve_entities
from schema.limits import Limits
from schema.query import Query
from schema.scalar import SCALARS
from schema.stream import Selections, give_result
from schema.subscription import Subscription
from schema.types import read_field


class RefusedDocumentError(Exception):
    """A document cannot run, because of `errors`. Never raised out of this module."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__()
        self.errors = errors


class TransactionSchema(strawberry.federation.Schema):
    """The executable schema. It logs no errors: callers report them, as schema/failure.py describes them."""

    def __init__(self, limits: Limits) -> None:
        """Build a schema that enforces `limits`; one per process suffices, as it caches prepared documents."""
        self._limits = limits
        self._prepare = build_preparation(limits)
        self._selections = Selections()
        super().__init__(
            query=Query,
            subscription=Subscription,
            config=StrawberryConfig(scalar_map=SCALARS, default_resolver=read_field),
            scalar_overrides={FederationAny: ANY},
            federation_version=FEDERATION_VERSION,
        )
        resolve_entities(self._schema)
        for type_ in self._schema.type_map.values():
            pass_arguments(type_, self.config.name_converter)

    def find_faults(self, text: str) -> list[str]:
        """Return the errors in a document, independent of its variables; empty if its operations can run."""
        try:
            errors = self._prepare(text, self._schema).errors
        except GraphQLError as error:
            errors = [error]
        return [error.message for error in errors]

    async def execute(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: RequestContext | None = None,
        root_value: object = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
        operation_extensions: dict[str, Any] | None = None,
    ) -> ExecutionResult:
        """Run an operation as Strawberry does, but from a prepared document and without Strawberry's extensions.

        Raises:
            CannotGetOperationTypeError: the document has no operation, or none with that name.
            InvalidOperationTypeError: the operation is of a type that is not allowed.
        """
        try:
            prepared, operation = self._choose(query, operation_name, context_value, allowed_operation_types)
        except RefusedDocumentError as error:
            return PreExecutionError(data=None, errors=error.errors)
        result = await await_maybe(
            execute(
                self._schema,
                prepared.document,
                root_value=root_value,
                context_value=context_value,
                variable_values=variable_values,
                operation_name=operation.name.value if operation.name else None,
                executor_class=RowExecutor,
                # Errors in variables suggest similar names, which reveals the schema.
                hide_suggestions=not self._limits.introspection,
                operation_extensions=operation_extensions,
            )
        )
        return ExecutionResult(data=result.data, errors=result.errors)

    def is_subscription(self, query: str, operation_name: str | None) -> bool:
        """Return whether an operation is a subscription; if it cannot run, both `execute` and `subscribe` say why."""
        try:
            operation = self._prepare(query, self._schema).find_operation(operation_name)
        except GraphQLError:
            return False
        return operation is not None and operation.operation is GraphQLOperationType.SUBSCRIPTION

    async def subscribe(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: RequestContext | None = None,
        root_value: object = None,
        operation_name: str | None = None,
        operation_extensions: dict[str, Any] | None = None,
    ) -> AsyncGenerator[ExecutionResult, None]:
        """Run a subscription: an EventResult for each event, then a result of another type if an error ends it.

        Raises:
            CannotGetOperationTypeError: the document has no operation, or none with that name.
            InvalidOperationTypeError: the operation is not a subscription.
        """
        try:
            prepared, operation = self._choose(query, operation_name, context_value, {OperationType.SUBSCRIPTION})
        except RefusedDocumentError as error:
            return give_result(PreExecutionError(data=None, errors=error.errors))
        executor = RowExecutor.build(
            self._schema,
            prepared.document,
            root_value,
            context_value,
            variable_values,
            operation.name.value if operation.name else None,
            hide_suggestions=not self._limits.introspection,
            operation_extensions=operation_extensions,
        )
        if isinstance(executor, list):
            return give_result(ExecutionResult(data=None, errors=executor))
        return self._selections.stream(query or "", prepared.conditions, cast("RowExecutor", executor))

    def _choose(
        self,
        query: str | None,
        operation_name: str | None,
        context: RequestContext | None,
        allowed: Iterable[OperationType] | None,
    ) -> tuple[PreparedDocument, OperationDefinitionNode]:
        """Return the prepared document and its requested operation, after passing the latter to `note_operation`."""
        try:
            prepared = self._prepare(query or "", self._schema)
        except GraphQLError as error:
            raise RefusedDocumentError([error]) from None
        operation = prepared.find_operation(operation_name)
        if operation is None:
            raise CannotGetOperationTypeError(operation_name)
        operation_type = OperationType(operation.operation.value)
        if allowed is not None and operation_type not in allowed:
            raise InvalidOperationTypeError(operation_type)
        if errors := prepared.check_choice(operation_name):
            raise RefusedDocumentError(errors)
        if context:
            name = operation.name.value if operation.name else None
            context.note_operation(name, list_root_fields(prepared.document, operation.selection_set))
        return prepared, operation


def build_schema(limits: Limits | None = None) -> TransactionSchema:
    """Build the executable schema, with the default limits if none are given."""
    return TransactionSchema(limits or Limits())
