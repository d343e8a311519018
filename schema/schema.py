"""Puts the schema together: types, scalars, limits. What else is needed comes with each request's context."""

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
    """A document cannot be run, for these errors; it never leaves the schema."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__()
        self.errors = errors


class TransactionSchema(strawberry.federation.Schema):
    """The schema, which leaves the reporting of errors to whoever asked: schema/failure.py says what each one is."""

    def __init__(self, limits: Limits) -> None:
        """Hold operations to `limits`; one schema per process is enough, it holds the cache of prepared documents."""
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
        """Give what is wrong with a document, whatever its variables; none when its operations can be asked."""
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
        """Run an operation as Strawberry does, from a prepared document and without the machinery of its extensions.

        Raises:
            CannotGetOperationTypeError: the document holds no operation, or none of the name.
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
                # Errors in variables name what is like a wrong name, as a schema would.
                hide_suggestions=not self._limits.introspection,
                operation_extensions=operation_extensions,
            )
        )
        return ExecutionResult(data=result.data, errors=result.errors)

    def is_subscription(self, query: str, operation_name: str | None) -> bool:
        """Say whether an operation is a subscription; of one that cannot be run, either method says why."""
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
        """Run a subscription: an EventResult for each event, and last any other result where an error has ended it.

        Raises:
            CannotGetOperationTypeError: the document holds no operation, or none of the name.
            InvalidOperationTypeError: the operation is no subscription.
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
        """Give a document and the operation of it that is asked for, and have that noted."""
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
    """Give the executable schema, with the limits' defaults when none are given."""
    return TransactionSchema(limits or Limits())
