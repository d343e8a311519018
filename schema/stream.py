"""Runs subscriptions: events in, results out. An event is executed once for all who select the same of it.

Which events a subscription is given, schema/subscription.py says.
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

# Whoever is further behind than this has an event executed once more.
_KEPT_RESULTS = 64


@dataclass
class EventResult(ExecutionResult):
    """The result of one event; whoever selects the same is given the same object.

    Attributes:
        event_id: where to resume after it, if that can be said.
        payload: the whole result as JSON, where it holds no errors: those name the request that they are told to.
    """

    event_id: str | None = None
    payload: bytes | None = None


class Selection:
    """What subscriptions of one document, with the same of it switched on, make of events."""

    def __init__(self, executor: RowExecutor) -> None:
        """Execute as this executor does, for all: nothing that is selected of an event depends on who asks."""
        self._executor = executor
        self._known: dict[Hashable, EventResult] = {}

    async def execute(self, update: Update) -> EventResult:
        """Give the result of an event; what it holds must not be changed."""
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
    """The selections of all subscriptions that are open."""

    def __init__(self) -> None:
        self._open: WeakValueDictionary[Hashable, Selection] = WeakValueDictionary()

    async def stream(
        self, text: str, conditions: frozenset[str], executor: RowExecutor
    ) -> AsyncGenerator[ExecutionResult, None]:
        """Give an EventResult for each event, and last what ended the stream, if something did.

        Args:
            text: the document.
            conditions: the variables that decide with it what a result holds.
            executor: of the subscription, for its caller.
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
        # Of all who share a selection, the executor of the first is kept.
        del executor
        async with aclosing(cast("AsyncGenerator[Update, None]", source)) as updates:
            try:
                async for update in updates:
                    yield await selection.execute(update)
            except Exception as error:  # noqa: BLE001 - told as any error of an operation is
                yield PreExecutionError(data=None, errors=[GraphQLError(str(error), original_error=error)])


async def give_result(result: ExecutionResult) -> AsyncGenerator[ExecutionResult, None]:
    """Give the stream of a subscription that does not begin."""
    yield result


def _build_key(text: str, conditions: frozenset[str], executor: RowExecutor) -> Hashable:
    """Give what decides, besides an event, what its result is."""
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
