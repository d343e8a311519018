"""Who a request comes from, and whether that caller may ask this."""

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.caller import ANONYMOUS
from gateway.settings import Settings


class AuthenticationMiddleware:
    """Notes the caller in the request's state."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["state"]["caller"] = ANONYMOUS
        await self._app(scope, receive, send)
