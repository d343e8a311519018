"""Cheap routes: an endpoint is called with its path and query parameters as text, and returns a response.

FastAPI reads the same annotations for the OpenAPI document. Its validation and dependency injection, which no endpoint
here needs, would take longer than everything the gateway does for a count.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send


class DirectRoute(APIRoute):
    """A route whose endpoint is a coroutine that returns a response; parameters are text, and may be left out.

    Attributes:
        parameters: the names of its query parameters.
    """

    def __init__(self, path: str, endpoint: Callable[..., Awaitable[Response]], **options: Any) -> None:  # noqa: ANN401 - FastAPI's own
        # In the OpenAPI document an operation has the name of its function.
        super().__init__(path, endpoint, **options | {"generate_unique_id_function": lambda route: route.name})
        self._request_name = self.dependant.request_param_name
        self._path_names = [(field.name, field.alias) for field in self.dependant.path_params]
        self._query_names = [(field.name, field.alias) for field in self.dependant.query_params]
        self.parameters = [alias for _, alias in self._query_names]
        self.app = self._answer

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        given: dict[str, object] = {self._request_name: request} if self._request_name else {}
        for name, alias in self._path_names:
            given[name] = scope["path_params"][alias]
        if scope["query_string"]:
            for name, alias in self._query_names:
                if (text := request.query_params.get(alias)) is not None:
                    given[name] = text
        response = await self.endpoint(**given)
        await response(scope, receive, send)
