"""The page of each error code, at the address that a problem's `type` gives (RFC 9457, section 3.1.1).

It is Markdown, sent as plain text: Firefox saves `text/markdown` as a file (its bug 1319262) instead of showing it.
"""

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import WithJsonSchema

from database.errors import quote_value
from gateway.errors import NotFoundError
from gateway.openapi_operations import ERROR_PAGE_RESPONSES
from gateway.problems import PROBLEMS
from gateway.route import DirectRoute

router = APIRouter(prefix="/errors", tags=["errors"], route_class=DirectRoute)


CodePath = Annotated[str, WithJsonSchema({"type": "string", "enum": list(PROBLEMS)})]


@router.get("/{code}", summary="What an error code means", responses=ERROR_PAGE_RESPONSES, response_class=Response)
async def explain(code: CodePath) -> Response:
    """Return the page of an error code, as Markdown; docs/errors contains the same."""
    problem = PROBLEMS.get(code)
    if problem is None:
        raise NotFoundError(f"{quote_value(code)} is not an error code; the codes are {', '.join(PROBLEMS)}.")
    return Response(problem.render_page(), media_type="text/plain")
