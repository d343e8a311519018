"""What tasks have in common that several wait for."""

import asyncio
from typing import Any


def forget_failure(task: "asyncio.Task[Any]") -> None:
    """Take note of a failure that nobody waits for any more, which asyncio would otherwise complain of."""
    if not task.cancelled():
        task.exception()
