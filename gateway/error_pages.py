"""The page of each error code, at the address that a problem's `type` gives (RFC 9457, section 3.1.1).

It is Markdown, sent as plain text: Firefox saves `text/markdown` as a file (its bug 1319262) instead of showing it.
"""

from fastapi import APIRouter
from fastapi.responses import Response

from database.errors import quote_value
from gateway.errors import NotFoundError
from gateway.problems import PROBLEMS
from gateway.route import DirectRoute

router = APIRouter(prefix="/errors", tags=["errors"], route_class=DirectRoute)


@router.get("/{code}", summary="What an error code means", response_class=Response)
async def explain(code: str) -> Response:
    """Give the page of a code, as Markdown; docs/errors holds the same."""
    problem = PROBLEMS.get(code)
    if problem is None:
        raise NotFoundError(f"{quote_value(code)} is not an error code; the codes are {', '.join(PROBLEMS)}.")
    return Response(problem.render_page(), media_type="text/plain")
