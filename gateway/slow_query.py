"""Logs each slow database command, with the server's plan for it.

It must not log a command's values, only its shape. It fetches plans in the background, at most once a minute per shape,
so as not to add load to a slow database.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import structlog

from database.explain import can_explain, describe_shape
from database.monitor import CommandReport
from gateway.log import describe_exception

logger = structlog.get_logger()

# The fields of the log line, in order; docs/operations.md documents them all.
SLOW_QUERY_FIELDS = ("command", "collection", "duration_ms", "error", "shape", "plan")
# Returns the plan of a command.
Explain: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[str]]

_PLAN_SECONDS = 60
# The gateway's own commands have far fewer shapes.
_MOST_SHAPES = 1_000


class SlowQueryLog:
    """Observes commands; until `explain_with` is called, it logs them without a plan."""

    def __init__(self, slow_query_ms: int) -> None:
        """Log commands of `slow_query_ms` or longer."""
        self._seconds = slow_query_ms / 1000
        self._explain: Explain | None = None
        self._plans: dict[str, tuple[float, asyncio.Task[str]]] = {}

    def explain_with(self, explain: Explain) -> None:
        """Fetch plans by calling `explain`."""
        self._explain = explain

    def observe(self, report: CommandReport) -> None:
        """Log a command if it was slow."""
        if report.seconds < self._seconds or report.name == "explain":
            return
        shape = describe_shape(report.command)
        values = (report.name, report.collection, round(report.seconds * 1000, 3), report.error, shape)
        if self._explain is None or not can_explain(report.command):
            _log(*values, None)
            return
        # The callback runs in this context, so that its line has the request's id.
        self._get_plan(self._explain, report, shape).add_done_callback(
            lambda task: _log(*values, None if task.cancelled() else task.result())
        )

    def _get_plan(self, explain: Explain, report: CommandReport, shape: str) -> asyncio.Task[str]:
        known = self._plans.get(f"{report.name} {shape}")
        if known and time.monotonic() - known[0] < _PLAN_SECONDS:
            return known[1]
        if len(self._plans) >= _MOST_SHAPES:
            self._plans.clear()
        task = asyncio.create_task(_try_explain(explain, report.command))
        self._plans[f"{report.name} {shape}"] = (time.monotonic(), task)
        return task

    async def close(self) -> None:
        """Fetch no more plans, and log the commands that wait for one without it."""
        self._explain = None
        tasks = [task for _, task in self._plans.values() if not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _try_explain(explain: Explain, command: Mapping[str, Any]) -> str:
    try:
        return await explain(command)
    except Exception as error:  # noqa: BLE001 - a plan is optional, and nothing else depends on it
        return f"unknown ({describe_exception(error)['error']})"


def _log(*values: object) -> None:
    logger.warning("slow query", **dict(zip(SLOW_QUERY_FIELDS, values, strict=True)))
