"""Which hosts and which sites' pages are served, and the headers that restrict how browsers use a response.

It checks where a request comes from, not who sends it.
"""

import re
from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import CrossSiteRequestError, HostNotServedError
from gateway.path import GRAPHQL_PATH, STATIC_PATH
from gateway.settings import Settings

_LOCAL_HOST = re.compile(rb"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_PREFLIGHT_SECONDS = 600

_Header = tuple[bytes, bytes]

# Card data stays out of caches, frames and other sites' pages, and no script in a response runs. `connect-src 'self'`
# lets a developer who has a response open in a browser fetch others from its console.
HEADERS: tuple[_Header, ...] = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; connect-src 'self'; frame-ancestors 'none'"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
# A web worker's script is subject to its own policy, not to that of its page.
_FILE_HEADERS = (
    (b"content-security-policy", b"default-src 'self'; frame-ancestors 'none'"),
    *(header for header in HEADERS if header[0] != b"content-security-policy"),
)
_OWN_PAGES = ((b"cross-origin-resource-policy", b"same-origin"),)
# RFC 6797. Browsers ignore it over plain HTTP.
_HTTPS = ((b"strict-transport-security", b"max-age=31536000"),)


class OriginMiddleware:
    """Rejects foreign hosts and cross-site requests, and stores every response's security headers in `state`.

    Without authentication, only this machine's own host names are served: otherwise a page could reach the gateway
    under the page's own domain (DNS rebinding). Browsers state which site sent a request (Fetch Metadata, `Origin`);
    a request with neither header comes from a program. Go's CrossOriginProtection works the same way, but allows every
    GET: here a GET queries the database, so a cross-site GET is allowed only when a user follows a link.

    Raises:
        HostNotServedError: the Host header does not name this machine.
        CrossSiteRequestError: the page belongs to another site that is not listed.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._is_open = settings.is_open
        # Starlette's CORSMiddleware would miss the responses of RequestMiddleware, and formats errors its own way.
        self._listed = {origin.encode(): _build_cors_headers(origin) for origin in settings.cors_origins}
        vary = ((b"vary", b"Origin"),) if settings.cors_origins else ()
        self._unlisted = _OWN_PAGES + vary

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        given: dict[bytes, bytes] = dict(scope["headers"])
        listed = self._listed.get(given.get(b"origin", b""))
        scope["state"]["headers"] = (
            (_FILE_HEADERS if scope["path"].startswith(STATIC_PATH) else HEADERS)
            + (_HTTPS if scope["scheme"] in {"https", "wss"} else ())
            + (listed or self._unlisted)
        )
        if self._is_open:
            _check_host(scope)
        if listed is None:
            _check_site(scope, given)
        elif scope.get("method") == "OPTIONS" and b"access-control-request-method" in given:
            await Response(status_code=204, headers=_PREFLIGHT)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _build_cors_headers(origin: str) -> tuple[_Header, ...]:
    return (
        (b"access-control-allow-origin", origin.encode()),
        (b"access-control-expose-headers", b"Content-Disposition, Link, Retry-After, X-Request-Id"),
        (b"cross-origin-resource-policy", b"cross-origin"),
        (b"vary", b"Origin"),
    )


_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Last-Event-ID, Traceparent, X-API-Key",
    "Access-Control-Max-Age": str(_PREFLIGHT_SECONDS),
}


def _check_host(scope: Scope) -> None:
    for name, value in scope["headers"]:
        if name == b"host" and not _LOCAL_HOST.fullmatch(value):
            raise HostNotServedError(
                "Host is not this machine's; without authentication the gateway answers for localhost, 127.0.0.0/8 "
                "and [::1] alone."
            )


def _check_site(scope: Scope, given: dict[bytes, bytes]) -> None:
    site, origin = given.get(b"sec-fetch-site"), given.get(b"origin")
    if site is not None:
        is_own = site in {b"same-origin", b"none"}
    else:
        is_own = origin is None or _find_host(origin) == given.get(b"host", b"").lower()
    if not is_own and not _is_followed_link(scope, given):
        raise CrossSiteRequestError(
            "A page of another site sent this request; the sites whose pages are answered are those of "
            "GATEWAY_CORS_ORIGINS."
        )


def _find_host(origin: bytes) -> bytes | None:
    try:
        return urlsplit(origin.lower()).netloc or None
    except ValueError:
        return None


def _is_followed_link(scope: Scope, given: dict[bytes, bytes]) -> bool:
    """Whether a user navigates to this address; a GraphQL query in the address does not count."""
    return (
        scope.get("method") == "GET"
        and given.get(b"sec-fetch-mode") == b"navigate"
        and given.get(b"sec-fetch-dest") == b"document"
        and not (scope["path"] == GRAPHQL_PATH and scope["query_string"])
    )
