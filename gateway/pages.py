"""Serves the pages that web/ was built into in gateway/static: the explorer, GraphiQL, the API reference, their files.

It must not give pages any data: they send requests like any other client.
"""

import hashlib
import os
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.staticfiles import NotModifiedResponse
from starlette.types import Scope

from gateway.errors import NotFoundError
from gateway.negotiation import choose_coding
from gateway.path import GRAPHQL_PATH
from gateway.route import DirectRoute

STATIC = Path(__file__).parent / "static"
# The explorer's GraphQL documents, by SHA-256.
DOCUMENTS = STATIC / "explorer" / "documents.json"
EXPLORER_PATH = "/"
REFERENCE_PATH = "/docs"
PATHS = frozenset({EXPLORER_PATH, REFERENCE_PATH})

# No inline scripts: a script injected by an address or a vendor's name does not run.
_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; {needs}; frame-ancestors 'none'"
)
_HEADERS = {
    # The names of a page's files change with their content; the page's own address does not.
    "Cache-Control": "no-cache",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}
# The build's coding first, then those of gateway/compression.py.
_CODINGS = ("br", "zstd", "gzip")
_COMPRESSED = ".br"
# Far longer than any path below gateway/static. Each part of a path is looked up: 30,000 take a fifth of a second.
_LONGEST_PATH = 255


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its folder in gateway/static, and the policy it needs beyond scripts and data from this host."""

    folder: str
    needs: str


EXPLORER = Page("explorer", "style-src 'self'")
# Monaco, GraphiQL's editor, writes inline styles and has its font embedded in the style sheet.
GRAPHIQL = Page("graphiql", "style-src 'self' 'unsafe-inline'; font-src 'self' data:; worker-src 'self'")
REFERENCE = Page("docs", "style-src 'self'")

router = APIRouter(route_class=DirectRoute, include_in_schema=False)


@router.get(EXPLORER_PATH)
async def show_explorer(request: Request) -> Response:
    """Return the explorer, which reads the address's query parameters itself."""
    return build_page(request, EXPLORER)


@router.get(REFERENCE_PATH)
async def show_reference(request: Request) -> Response:
    """Return the reference of the REST paths."""
    return build_page(request, REFERENCE)


def build_page(request: Request, page: Page) -> Response:
    """Build the response with a page, or 304 if the client has its current version (RFC 9110, section 13.1.2).

    Raises:
        NotFoundError: the gateway was installed without its pages.
    """
    try:
        content = (STATIC / page.folder / "index.html").read_bytes()
    except FileNotFoundError:
        raise NotFoundError(
            f"The page {page.folder} is not part of this installation; `pip install .` or `make up` builds it."
        ) from None
    # Not from its modification time, which packages and images set to the same value for every version.
    tag = f'"{hashlib.sha256(content).hexdigest()}"'
    headers = {**_HEADERS, "Content-Security-Policy": _POLICY.format(needs=page.needs), "ETag": tag}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return HTMLResponse(content, headers=headers)


def is_page(scope: Scope) -> bool:
    """Whether a request is for a page, which contains no transactions; GraphiQL is GraphQL's path without a query."""
    path = scope["path"]
    return path in PATHS or (path == GRAPHQL_PATH and scope.get("method") == "GET" and not scope["query_string"])


class PageFiles(StaticFiles):
    """Serves the pages' files. Asset names contain a hash of their content, so that browsers never request one twice.

    The build has compressed them by Brotli (RFC 7932), with more effort than a request could afford. The compressed
    form has its own ETag and ranges, but no address.
    """

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Find a file; compressed forms of other files are hidden."""
        return ("", None) if path.endswith(_COMPRESSED) or len(path) > _LONGEST_PATH else super().lookup_path(path)

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Build the response with a file, a range, or 304, in Brotli if the request prefers it and the build has it."""
        compressed = f"{os.fspath(full_path)}{_COMPRESSED}"
        is_compressed = _prefers_compressed(scope) and os.path.isfile(compressed)  # noqa: PTH113 - Starlette's paths
        if is_compressed:
            full_path, stat_result = compressed, os.stat(compressed)  # noqa: PTH116 - as above
        response = super().file_response(full_path, stat_result, scope, status_code)
        if is_compressed and not isinstance(response, NotModifiedResponse):
            response.headers["Content-Encoding"] = "br"
        if "/assets/" in scope["path"]:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def _prefers_compressed(scope: Scope) -> bool:
    accepted = [value for name, value in scope["headers"] if name == b"accept-encoding"]
    return bool(accepted) and choose_coding(b",".join(accepted), _CODINGS)[0] == "br"
