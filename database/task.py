"""For tasks that several callers may wait for, or nobody any more."""

import asyncio
from typing import Any


def forget_failure(task: "asyncio.Task[Any]") -> None:
    """Mark a task's failure as seen: asyncio would log it when nobody waits for the task any more."""
    if not task.cancelled():
        task.exception()
