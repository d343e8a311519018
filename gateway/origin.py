"""Which hosts and whose pages are answered."""

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.settings import Settings


class OriginMiddleware:
    """Which hosts and whose pages are answered."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)
