"""The endpoints for probes and load balancers: whether the process is alive, and whether it can serve requests."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from database.errors import DatabaseUnavailableError, GatewayError, OverloadedError
from gateway.errors import DrainingError
from gateway.openapi_operations import LIVENESS_RESPONSES, READY_RESPONSES
from gateway.route import DirectRoute

router = APIRouter(prefix="/health", tags=["health"], route_class=DirectRoute)

# However many probes arrive, each worker checks its database at most twice a second.
_FRESH_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 2


class DatabaseProbe:
    """Caches the database's state: one check at a time serves all probes that arrive during it or shortly after."""

    def __init__(self, check: Callable[[], Awaitable[None]]) -> None:
        """Use `check`, which returns if the database responds and raises a GatewayError if it does not."""
        self._check = check
        self._task: asyncio.Task[GatewayError | None] | None = None
        self._checked_at = 0.0

    async def find_fault(self) -> GatewayError | None:
        """Return the error that requests would get, or None, within two seconds."""
        if self._task is None or (self._task.done() and time.monotonic() - self._checked_at > _FRESH_SECONDS):
            self._task = asyncio.create_task(self._run_check())
        # A probe that disconnects must not cancel the check for the others.
        return await asyncio.shield(self._task)

    async def _run_check(self) -> GatewayError | None:
        try:
            async with asyncio.timeout(_LONGEST_WAIT_SECONDS):
                await self._check()
        except GatewayError as error:
            return error
        except TimeoutError:
            return DatabaseUnavailableError(f"The database did not answer within {_LONGEST_WAIT_SECONDS} seconds.")
        finally:
            self._checked_at = time.monotonic()
        return None


@router.get("/live", summary="Whether the process is alive", responses=LIVENESS_RESPONSES)
async def is_live() -> Response:
    """Always 200: any answer is the proof."""
    return JSONResponse({"status": "live"})


@router.get("/ready", summary="Whether requests can be answered", responses=READY_RESPONSES)
async def is_ready(request: Request) -> Response:
    """200 when the database answers this user; otherwise the problem that a request would meet, or `DRAINING`."""
    if request.app.state.is_draining:
        raise DrainingError("The gateway is stopping; connect to another instance.")
    if request.app.state.admission.is_overloaded:
        raise OverloadedError("The gateway is overloaded; some requests are rejected.")
    if fault := await request.app.state.probe.find_fault():
        raise fault.with_traceback(None)
    return JSONResponse({"status": "ready"})
