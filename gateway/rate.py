"""How often a caller may ask."""

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.settings import Settings


class RateLimitMiddleware:
    """How often a caller may ask."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)
