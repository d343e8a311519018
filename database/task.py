"""Support for tasks that several callers share, and that may lose all of them."""

import asyncio
from typing import Any


def forget_failure(task: "asyncio.Task[Any]") -> None:
    """Mark a task's exception as retrieved: asyncio would log it if no caller waits for the task any more."""
    if not task.cancelled():
        task.exception()
