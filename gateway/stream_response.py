"""Answers that are sent in parts, and Server-Sent Events (HTML Standard, section 9.2) among them.

What the parts say is up to the modules that send them.
"""

from fastapi import Request
from starlette.responses import Response
from starlette.types import Send

EVENT_STREAM = "text/event-stream"
EVENT_HEADERS = {
    "Vary": "Accept",
    # Proxies of nginx's kind would hold events back.
    "X-Accel-Buffering": "no",
}


class StreamResponse(Response):
    """An answer whose length is not known when it begins."""

    def __init__(self, *, media_type: str, headers: dict[str, str]) -> None:
        super().__init__(media_type=media_type, headers=headers)
        del self.headers["content-length"]

    async def start(self, send: Send) -> None:
        """Send the head."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})


class EventResponse(StreamResponse):
    """Events until the client leaves, or something ends them.

    Attributes:
        pause: after so many seconds without an event something is to be sent nonetheless.
    """

    def __init__(self, request: Request, heartbeat_seconds: float) -> None:
        """Answer a request, and send something at least each `heartbeat_seconds`."""
        super().__init__(media_type=EVENT_STREAM, headers=EVENT_HEADERS)
        self.request = request
        # Each part that is sent tells gateway/deadline.py that the answer goes on.
        self.pause = min(heartbeat_seconds, request.app.state.settings.request_timeout_ms / 2_000)


async def send_part(send: Send, body: bytes, *, more: bool = True) -> None:
    """Send a part of a body, which is the last one unless there are `more`."""
    await send({"type": "http.response.body", "body": body, "more_body": more})
