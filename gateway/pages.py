"""The pages for people, as web/ was built into gateway/static: the explorer, GraphiQL, the API reference, their files.

It sends what was built. What a page asks, it asks as any other client.
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
# What the explorer asks, by SHA-256.
DOCUMENTS = STATIC / "explorer" / "documents.json"
EXPLORER_PATH = "/"
REFERENCE_PATH = "/docs"
PATHS = frozenset({EXPLORER_PATH, REFERENCE_PATH})

# No inline script anywhere: what an address or a vendor's name smuggles into a page is not run.
_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; {needs}; frame-ancestors 'none'"
)
_HEADERS = {
    # The names of a page's files change with their content, the page's own does not.
    "Cache-Control": "no-cache",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}
# What the build compresses by, best first, and what gateway/compression.py can.
_CODINGS = ("br", "zstd", "gzip")
_COMPRESSED = ".br"
# No file's name below gateway/static is near it. Each part of a path is looked up: 30,000 take a fifth of a second.
_LONGEST_PATH = 255


@dataclass(frozen=True, slots=True)
class Page:
    """A page by its folder in gateway/static, and what it needs beyond scripts and data of this host."""

    folder: str
    needs: str


EXPLORER = Page("explorer", "style-src 'self'")
# Monaco, GraphiQL's editor, writes styles and carries its font in the style sheet.
GRAPHIQL = Page("graphiql", "style-src 'self' 'unsafe-inline'; font-src 'self' data:; worker-src 'self'")
REFERENCE = Page("docs", "style-src 'self'")

router = APIRouter(route_class=DirectRoute, include_in_schema=False)


@router.get(EXPLORER_PATH)
async def show_explorer(request: Request) -> Response:
    """Give the explorer; the address's parameters are its own."""
    return build_page(request, EXPLORER)


@router.get(REFERENCE_PATH)
async def show_reference(request: Request) -> Response:
    """Give the reference of the REST paths."""
    return build_page(request, REFERENCE)


def build_page(request: Request, page: Page) -> Response:
    """Give a page, or 304 to whom has it (RFC 9110, section 13.1.2).

    Raises:
        NotFoundError: the gateway was installed without its pages.
    """
    try:
        content = (STATIC / page.folder / "index.html").read_bytes()
    except FileNotFoundError:
        raise NotFoundError(
            f"The page {page.folder} is not part of this installation; `pip install .` or `make up` builds it."
        ) from None
    # Not by its time, which packages and images set to the same for each version.
    tag = f'"{hashlib.sha256(content).hexdigest()}"'
    headers = {**_HEADERS, "Content-Security-Policy": _POLICY.format(needs=page.needs), "ETag": tag}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return HTMLResponse(content, headers=headers)


def is_page(scope: Scope) -> bool:
    """Whether a request is for a page, which holds no transactions; to GraphQL one without a query can be no other."""
    path = scope["path"]
    return path in PATHS or (path == GRAPHQL_PATH and scope.get("method") == "GET" and not scope["query_string"])


class PageFiles(StaticFiles):
    """The pages' files. Their names hold a hash of their content: a browser need never ask for one twice.

    The build has compressed them by Brotli (RFC 7932), at an effort that is too high for each request. That form has a
    tag and ranges of its own, and no address.
    """

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Find a file; one that is the compressed form of another is none."""
        return ("", None) if path.endswith(_COMPRESSED) or len(path) > _LONGEST_PATH else super().lookup_path(path)

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Give a file, or 304, or a range, in the coding that the request prefers and the build has made."""
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
