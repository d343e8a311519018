"""Every path declares who may request it."""

from collections.abc import Iterable, Iterator
from typing import Any

from starlette.routing import Mount, Route, WebSocketRoute

from database.environment import DatabaseEnvironment
from gateway.app import create_app
from gateway.authentication import PUBLIC, SCOPES
from gateway.pages import PATHS
from gateway.settings import load_settings


def find_routes(routes: Iterable[Any]) -> Iterator[Route | WebSocketRoute | Mount]:
    for route in routes:
        if isinstance(route, Route | WebSocketRoute | Mount):
            yield route
        else:  # a router included by FastAPI; any other kind fails here
            yield from find_routes(route.original_router.routes)


def find_app_routes() -> list[Route | WebSocketRoute | Mount]:
    app = create_app(load_settings({}), DatabaseEnvironment(uri="mongodb://127.0.0.1/transactions"))
    return list(find_routes(app.router.routes))


def test_every_route_is_public_or_has_a_scope() -> None:
    """The first segment of a route's path is public or needs a scope, never both, and no listed segment is unused.

    Pages are public by their whole paths.
    """
    paths = {route.path for route in find_app_routes()}
    assert paths >= PATHS
    segments = {path.split("/")[1] for path in paths - PATHS}
    assert segments == PUBLIC | set(SCOPES)
    assert not PUBLIC & set(SCOPES)


def test_a_route_answers_no_path_but_its_own() -> None:
    """No route matches its path followed by a line break, which Python's `$` would allow."""
    routes = [route for route in find_app_routes() if not route.param_convertors]
    assert routes
    for route in routes:
        assert route.path_regex.match(route.path)
        assert not route.path_regex.match(f"{route.path}\n")
