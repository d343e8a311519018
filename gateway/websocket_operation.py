"""Runs one operation of a WebSocket, up to the message that ends it.

It must not deal with the connection or its caller, which gateway/websocket.py does.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import aclosing, suppress
from dataclasses import replace

import orjson
from starlette.datastructures import State
from starlette.types import Scope
from strawberry.types.execution import ExecutionResult
from strawberry.types.graphql import OperationType
from uvicorn.protocols.utils import ClientDisconnected

from database.errors import GatewayError
from database.meter import set_wait
from gateway.admission import Slot
from gateway.errors import RequestTimeoutError
from gateway.metrics import ERRORS, find_child
from gateway.operation import GraphQLRequest, Operation, build_answer, build_failed_result
from gateway.request import build_context
from schema.context import RequestContext, read_clock_ms
from schema.stream import EventResult

_ALLOWED = frozenset({OperationType.QUERY, OperationType.MUTATION})


class SocketOperation:
    """An operation under the id that its client gave it.

    Attributes:
        is_query: whether it is being executed and is not a subscription, so that its client waits for the result.
        opened: set once it is a subscription that receives events, or is known to be none.
    """

    def __init__(
        self, scope: Scope, identifier: str, graphql_request: GraphQLRequest, write: Callable[[bytes], Awaitable[None]]
    ) -> None:
        """Prepare an operation that was requested on the connection of a scope; `write` sends a message."""
        self.is_query = False
        self.opened = asyncio.Event()
        self._is_subscription = False
        self._scope = scope
        self._app: State = scope["app"].state
        self._request_id: str = scope["state"]["request_id"]
        self._identifier = identifier
        self._graphql_request = graphql_request
        self._write = write

    async def run(self, before: Iterable[asyncio.Event]) -> None:
        """Send the results and the end, unless the client disconnects; a query first waits for the events `before`."""
        try:
            failure = await self._send_results(before)
        except ClientDisconnected:
            return
        except Exception as error:  # noqa: BLE001 - sent like any error of an operation, and logged if unexpected
            failure = build_failed_result(error)
        finally:
            self.opened.set()
        if self._is_subscription and failure is None and self._app.is_draining:
            # It began, or went on, after draining cancelled the others: without `complete`, the client resumes it
            # elsewhere.
            return
        await self._end(failure)

    async def refuse(self, error: GatewayError) -> None:
        """Send the reason why the operation is not run."""
        await self._end(build_failed_result(error))

    async def _end(self, failure: ExecutionResult | None) -> None:
        message: dict[str, object] = {"id": self._identifier, "type": "complete"}
        if failure is not None:
            answer = build_answer(failure, self._request_id)
            find_child(ERRORS, answer.failures[0].code).inc()
            message |= {"type": "error", "payload": answer.body["errors"]}
        with suppress(ClientDisconnected):
            await self._write(orjson.dumps(message))

    async def _send_results(self, before: Iterable[asyncio.Event]) -> ExecutionResult | None:
        """Send the results; return the one that is an error of the whole operation, if any."""
        await self._scope["state"]["count_request"]()
        context = build_context(self._scope, read_clock_ms())
        operation = Operation(self._app, self._graphql_request)
        if not operation.is_subscription:
            self.opened.set()
            self.is_query = True
            try:
                result = await self._execute(operation, context, before)
            finally:
                self.is_query = False
            answer = build_answer(result, self._request_id)
            if "data" not in answer.body:
                return result
            if answer.failures:
                find_child(ERRORS, answer.failures[0].code).inc()
            await self._send_next(answer.encode())
            return None
        self._is_subscription = True
        context = replace(context, note_open=lambda _events: self.opened.set())
        async with aclosing(operation.subscribe(context)) as results:
            async for result in results:
                if not isinstance(result, EventResult):
                    return result
                await self._send_next(result.payload or build_answer(result, self._request_id).encode())
        return None

    async def _execute(
        self, operation: Operation, context: RequestContext, before: Iterable[asyncio.Event]
    ) -> ExecutionResult:
        """Execute a query: admitted like a request by HTTP, and within the time that a request has."""
        seconds = self._app.settings.request_timeout_ms / 1000
        deadline = asyncio.timeout(seconds)
        try:
            async with deadline:
                # A client that subscribes and then queries misses nothing in between.
                for opened in before:
                    await opened.wait()
                await self._app.admission.enter()
                set_wait(Slot(self._app.admission).share)
                try:
                    return await operation.execute(context, _ALLOWED, "WebSocket")
                finally:
                    self._app.admission.leave()
        except TimeoutError:
            if not deadline.expired():
                raise
            raise RequestTimeoutError(f"The answer was not ready within {seconds:g} s; ask for less.") from None

    async def _send_next(self, payload: bytes) -> None:
        await self._write(b'{"id":%b,"type":"next","payload":%b}' % (orjson.dumps(self._identifier), payload))
