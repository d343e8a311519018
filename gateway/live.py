"""`GET /transactions/live`: transactions as they are added, as Server-Sent Events (HTML Standard, section 9.2)."""

import asyncio
import random
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import WithJsonSchema
from starlette.types import Receive, Scope, Send

from database.errors import GatewayError
from database.query import RelativeFilter
from database.row import Row
from database.subscription import Subscription
from gateway.authentication import RECHECK_SECONDS, check_caller
from gateway.negotiation import choose_media_type
from gateway.openapi_operations import LIVE_RESPONSES
from gateway.parameter import CardQuery, CountryQuery, MaxQuery, MinQuery, check_parameters
from gateway.problem_response import build_problem_response
from gateway.request import open_events
from gateway.route import DirectRoute
from gateway.rows import JSON
from gateway.stream_response import EVENT_STREAM, EventResponse, send_part
from schema.filter import MAX_DAYS, FieldNames, parse_filter

router = APIRouter(prefix="/transactions", tags=["transactions"], route_class=DirectRoute)

# Some proxies close a connection after a minute of silence, or less.
_HEARTBEAT_SECONDS = 15.0
_RETRY_MS = 2_000
# The clients of a stopping worker reconnect spread over this time, not all at once.
_SPREAD_MS = 5_000

DaysQuery = Annotated[
    str | None,
    WithJsonSchema({"type": "integer", "minimum": 0, "maximum": MAX_DAYS}),
    Query(description="Only transactions that are dated within the last n days of 24 hours when they are added."),
]
LastEventIdQuery = Annotated[
    str | None,
    WithJsonSchema({"type": "string"}),
    Query(alias="lastEventId", description="The last `id` received, as in the header: what followed is sent first."),
]


def encode_frame(event_id: str, row: Row) -> bytes:
    """Encode a transaction as an event; its data is the row as in the JSON lists."""
    return b"event: transaction\nid: %b\ndata: %b\n\n" % (event_id.encode(), JSON.encode([row]))


@router.get("/live", summary="Transactions as they are added", responses=LIVE_RESPONSES, response_class=Response)
async def follow_live(
    request: Request,
    days: DaysQuery = None,
    card: CardQuery = None,
    country: CountryQuery = None,
    min_amount: MinQuery = None,
    max_amount: MaxQuery = None,
    last_event_id: LastEventIdQuery = None,
) -> Response:
    """Server-Sent Events: `transaction`, whose data is the document, and `error`, whose data is a problem, at the end.

    Filters combine. A client that reconnects with the header `Last-Event-ID`, as browsers do by themselves, is sent
    what it missed, each transaction once. After every 15 s of silence a comment is sent, with an `id` of its own.

    The answer has no end: read it with `curl -N` or an `EventSource`; a page that shows whole answers waits forever.
    """
    check_parameters(request)
    choose_media_type(request.headers.getlist("accept"), [EVENT_STREAM])
    wanted = parse_filter(
        days=days,
        card_type=card,
        country=country,
        min_amount=min_amount,
        max_amount=max_amount,
        names=FieldNames(card_type="card"),
    )
    # The header names the last event that the client received, which is newer than the one in its address.
    return LiveResponse(request, wanted, request.headers.get("last-event-id") or last_event_id or None)


class LiveResponse(EventResponse):
    """Sends events until the client disconnects, the gateway stops, or an error ends them, sent as the last event."""

    def __init__(self, request: Request, wanted: RelativeFilter, after: str | None) -> None:
        """Respond with the transactions that match `wanted`, after the event with the id `after` if one is given."""
        super().__init__(request, _HEARTBEAT_SECONDS)
        self._wanted = wanted
        self._after = after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - RequestMiddleware receives
        if self.request.app.state.is_draining:
            # Not a 503: an EventSource reconnects after the end of a stream, never after an error (section 9.2.2).
            await self.start(send)
            await send_part(send, _build_retry(), more=False)
            return
        async with open_events(scope, self._wanted, self._after) as events:
            await self.start(send)
            if not scope["state"]["is_head"]:
                scope["state"]["observation"].note_stream()
                await self._send_events(events, send)
        await send_part(send, b"", more=False)

    async def _send_events(self, events: Subscription, send: Send) -> None:
        # Browsers do not dispatch an event without data, but keep its id: a client that loses the connection before the
        # first transaction misses none.
        await send_part(send, b"retry: %d\nid: %b\n\n" % (_RETRY_MS, events.id.encode()))
        now = asyncio.get_running_loop().time
        check_at = now() + RECHECK_SECONDS
        try:
            while not events.is_over:
                arrived = await events.read(self.pause)
                await send_part(send, b"".join(event.data for event in arrived) or _build_heartbeat(events))
                if now() >= check_at:
                    await check_caller(self.request.scope)
                    check_at = now() + RECHECK_SECONDS
        except GatewayError as error:
            problem = build_problem_response(self.request, error).body
            await send_part(send, b"event: error\nid: %b\ndata: %b\n\n" % (events.id.encode(), bytes(problem)))
        else:
            await send_part(send, _build_retry())


def _build_retry() -> bytes:
    return b"retry: %d\n\n" % random.randint(100, _SPREAD_MS)  # noqa: S311 - no secret


def _build_heartbeat(events: Subscription) -> bytes:
    # A renewed id stays within the database's oplog even if nothing is added.
    return b":\nid: %b\n\n" % events.id.encode()
