"""Whether the process lives, and whether it can answer questions: what probes and load balancers ask."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from gateway.openapi import READY_RESPONSES
from gateway.request import get_context

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", summary="Whether the process lives")
async def is_live() -> Response:
    """Always 200: an answer is the proof."""
    return JSONResponse({"status": "live"})


@router.get("/ready", summary="Whether questions can be answered", responses=READY_RESPONSES)
async def is_ready(request: Request) -> Response:
    """200 when the database answers this user; otherwise the problem that a question would meet."""
    await get_context(request).repository.check()
    return JSONResponse({"status": "ready"})
