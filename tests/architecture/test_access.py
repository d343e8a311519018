"""Who may ask at which path is said for every path."""

from collections.abc import Iterable, Iterator
from typing import Any

from starlette.routing import Mount, Route, WebSocketRoute

from database.environment import DatabaseEnvironment
from gateway.app import create_app
from gateway.authentication import PUBLIC, SCOPES
from gateway.pages import PATHS
from gateway.settings import load_settings


def find_paths(routes: Iterable[Any]) -> Iterator[str]:
    for route in routes:
        if isinstance(route, Route | WebSocketRoute | Mount):
            yield route.path
        else:  # what FastAPI makes of a router that was included; any other kind fails here
            yield from find_paths(route.original_router.routes)


def test_every_route_is_public_or_has_a_scope() -> None:
    """The first segment of a route's path is public or needs a scope, never both, and none is listed in vain.

    Pages are public by their whole paths.
    """
    app = create_app(load_settings({}), DatabaseEnvironment(uri="mongodb://127.0.0.1/transactions"))
    paths = set(find_paths(app.router.routes))
    assert paths >= PATHS
    segments = {path.split("/")[1] for path in paths - PATHS}
    assert segments == PUBLIC | set(SCOPES)
    assert not PUBLIC & set(SCOPES)
