"""GraphQL over Server-Sent Events, its distinct connections (github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md).

It transports results, which gateway/operation.py produces.
"""

import asyncio
from contextlib import aclosing, suppress
from dataclasses import replace

from fastapi import Request
from fastapi.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.types.execution import ExecutionResult

from database.errors import GatewayError
from database.subscription import Subscription
from gateway.authentication import RECHECK_SECONDS, check_caller
from gateway.operation import Operation, build_answer, build_failed_result
from gateway.stream_response import EVENT_HEADERS, EVENT_STREAM, EventResponse, send_part
from schema.context import RequestContext
from schema.stream import EventResult

_COMPLETE = b"event: complete\ndata:\n\n"
_HEARTBEAT_SECONDS = 10


def build_event_response(result: ExecutionResult, request: Request) -> Response:
    """Build the complete stream of an operation that has one result."""
    return Response(_write_next(result, request) + _COMPLETE, headers=EVENT_HEADERS, media_type=EVENT_STREAM)


class SubscriptionResponse(EventResponse):
    """Streams the results of a subscription as they arrive, until its client disconnects or an error ends it."""

    def __init__(self, request: Request, operation: Operation, context: RequestContext) -> None:
        """Respond to a request whose operation is a subscription."""
        super().__init__(request, _HEARTBEAT_SECONDS)
        self._operation = operation
        self._context = context
        self._events: Subscription | None = None
        self._opened = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - RequestMiddleware receives
        await self.start(send)
        # A subscriber that waits for events must not occupy a request's slot.
        scope["state"]["slot"].pause()
        try:
            if not scope["state"]["is_head"]:
                scope["state"]["observation"].note_stream()
                await self._send_results(send)
        finally:
            scope["state"]["slot"].resume()
        # While draining, no `complete` is sent, so that the client reconnects, to another instance.
        await send_part(send, b"" if self.request.app.state.is_draining else _COMPLETE, more=False)

    async def _send_results(self, send: Send) -> None:
        context = replace(self._context, note_open=self._note_open)
        try:
            async with asyncio.TaskGroup() as group:
                heartbeat = group.create_task(self._send_heartbeats(send))
                async with aclosing(self._operation.subscribe(context)) as results:
                    async for result in results:
                        await send_part(send, _write_next(result, self.request))
                heartbeat.cancel()
        except* GatewayError as errors:
            failed = build_failed_result(errors.exceptions[0])
            await send_part(send, _write_next(failed, self.request))

    def _note_open(self, events: Subscription | None) -> None:
        self._events = events
        self._opened.set()

    async def _send_heartbeats(self, send: Send) -> None:
        """Send heartbeats from the opening on; end the subscription when its caller is no longer authorised."""
        now = asyncio.get_running_loop().time
        check_at = now() + RECHECK_SECONDS
        with suppress(TimeoutError):
            async with asyncio.timeout(self.pause):
                await self._opened.wait()
        while True:
            # A renewed id keeps the subscription resumable even if nothing is added.
            place = b"" if self._events is None else b"id: %b\n" % self._events.id.encode()
            await send_part(send, b":\n%b\n" % place)
            await asyncio.sleep(self.pause)
            if now() >= check_at:
                await check_caller(self.request.scope)
                check_at += RECHECK_SECONDS


def _write_next(result: ExecutionResult, request: Request) -> bytes:
    request_id: str = request.state.request_id
    if isinstance(result, EventResult):
        payload = result.payload or build_answer(result, request_id).encode()
        place = b"" if result.event_id is None else b"id: " + result.event_id.encode() + b"\n"
        return b"event: next\n" + place + b"data: " + payload + b"\n\n"
    answer = build_answer(result, request_id)
    if answer.failures:
        # For the log and the metrics.
        request.state.code = answer.failures[0].code
    return b"event: next\ndata: " + answer.encode() + b"\n\n"
