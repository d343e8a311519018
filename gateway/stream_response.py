"""Responses that are sent in parts, including Server-Sent Events (HTML Standard, section 9.2).

The content of the parts is up to the modules that send them.
"""

from fastapi import Request
from starlette.responses import Response
from starlette.types import Send

EVENT_STREAM = "text/event-stream"
EVENT_HEADERS = {
    "Vary": "Accept",
    # nginx and similar proxies would otherwise buffer events.
    "X-Accel-Buffering": "no",
}


class StreamResponse(Response):
    """A response whose length is not known when it begins."""

    def __init__(self, *, media_type: str, headers: dict[str, str]) -> None:
        super().__init__(media_type=media_type, headers=headers)
        del self.headers["content-length"]

    async def start(self, send: Send) -> None:
        """Send the head."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})


class EventResponse(StreamResponse):
    """A response of events until the client disconnects, or something ends them.

    Attributes:
        pause: how many seconds may pass without an event before a heartbeat must be sent.
    """

    def __init__(self, request: Request, heartbeat_seconds: float) -> None:
        """Respond to a request; something must be sent at least every `heartbeat_seconds`."""
        super().__init__(media_type=EVENT_STREAM, headers=EVENT_HEADERS)
        self.request = request
        # Each part that is sent extends the deadline of gateway/deadline.py.
        self.pause = min(heartbeat_seconds, request.app.state.settings.request_timeout_ms / 2_000)


async def send_part(send: Send, body: bytes, *, more: bool = True) -> None:
    """Send a part of a body: the last one unless `more` follow."""
    await send({"type": "http.response.body", "body": body, "more_body": more})
