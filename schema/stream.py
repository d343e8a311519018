"""Run subscriptions: turn events into results. An event is executed once for all subscribers with the same selection.

Which events a subscription receives is up to schema/subscription.py.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Hashable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast
from weakref import WeakValueDictionary

import orjson
from graphql import ExecutionResult as GraphQLResult
from graphql import GraphQLError
from graphql.execution import create_source_event_stream, execute_subscription_event
from strawberry.types.execution import ExecutionResult, PreExecutionError

from schema.context import RequestContext
from schema.execution import RowExecutor
from schema.update import Update

# For a subscriber further behind than this, an event is executed again.
_KEPT_RESULTS = 64


@dataclass
class EventResult(ExecutionResult):
    """The result of one event; subscribers with the same selection share the same object.

    Attributes:
        event_id: the id to resume after; None if the field's events have none.
        payload: the whole result as JSON; None if it has errors, because these name the request they are sent to.
    """

    event_id: str | None = None
    payload: bytes | None = None


class Selection:
    """Executes events for all subscriptions of one document with the same @skip and @include conditions."""

    def __init__(self, executor: RowExecutor) -> None:
        """Use one subscriber's executor for all: nothing that is selected of an event depends on the subscriber."""
        self._executor = executor
        self._known: dict[Hashable, EventResult] = {}

    async def execute(self, update: Update) -> EventResult:
        """Return the result of an event, which callers must not modify."""
        if (known := self._known.get(update.key)) is not None:
            return known
        executor = self._executor.build_per_event_executor(update.value)
        result = execute_subscription_event(executor)
        if executor.is_awaitable(result):
            result = await cast("Awaitable[GraphQLResult]", result)
        made = self._known[update.key] = _build_result(cast("GraphQLResult", result), update.event_id)
        if len(self._known) > _KEPT_RESULTS:
            del self._known[next(iter(self._known))]
        return made


class Selections:
    """The selections of all open subscriptions."""

    def __init__(self) -> None:
        self._open: WeakValueDictionary[Hashable, Selection] = WeakValueDictionary()

    async def stream(
        self, text: str, conditions: frozenset[str], executor: RowExecutor
    ) -> AsyncGenerator[ExecutionResult, None]:
        """Yield an EventResult for each event, then the error that ended the stream, if one did.

        Args:
            text: the document.
            conditions: the variables that, with the document, decide what a result holds.
            executor: the subscription's executor, for its caller.
        """
        source = create_source_event_stream(executor)
        if executor.is_awaitable(source):
            source = await cast("Awaitable[AsyncIterable[Update] | GraphQLResult]", source)
        if isinstance(source, GraphQLResult):
            yield ExecutionResult(data=None, errors=source.errors)
            return
        key = _build_key(text, conditions, executor)
        selection = self._open.get(key)
        if selection is None:
            selection = self._open[key] = Selection(executor)
        # Of all subscribers that share a selection, only the first one's executor is kept.
        del executor
        async with aclosing(cast("AsyncGenerator[Update, None]", source)) as updates:
            try:
                async for update in updates:
                    yield await selection.execute(update)
            except Exception as error:  # noqa: BLE001 - reported like any error of an operation
                yield PreExecutionError(data=None, errors=[GraphQLError(str(error), original_error=error)])


async def give_result(result: ExecutionResult) -> AsyncGenerator[ExecutionResult, None]:
    """Yield the only result of a subscription that cannot start."""
    yield result


def _build_key(text: str, conditions: frozenset[str], executor: RowExecutor) -> Hashable:
    """Return everything that, besides the event, decides its result."""
    context: RequestContext = executor.context_value
    values: dict[str, Any] = executor.variable_values.coerced
    # Conditions are Boolean.
    switched = frozenset((name, values.get(name)) for name in conditions)
    name = executor.operation.name
    return text, name and name.value, switched, context.sees_cards


def _build_result(result: GraphQLResult, event_id: str | None) -> EventResult:
    extensions = None if event_id is None else {"eventId": event_id}
    payload = None
    if not result.errors:
        body = {"data": result.data} | ({"extensions": extensions} if extensions else {})
        payload = orjson.dumps(body)
    return EventResult(result.data, result.errors, extensions, event_id, payload)
