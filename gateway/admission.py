"""How many questions are answered at a time."""

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.settings import Settings


class AdmissionMiddleware:
    """How many questions are answered at a time."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)
