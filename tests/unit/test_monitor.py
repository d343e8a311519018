"""What the command monitor reports of the driver's commands."""

import asyncio
import weakref
from datetime import timedelta
from typing import Any

from pymongo.monitoring import CommandStartedEvent, CommandSucceededEvent

from database.monitor import CommandMonitor, CommandReport

ADDRESS = ("localhost", 27017)


class Command(dict[str, Any]):
    """A command that supports weak references, to check whether it is still held."""


def start(monitor: CommandMonitor, command: Command, request_id: int) -> None:
    monitor.started(CommandStartedEvent(command, "transactions", request_id, ADDRESS, request_id))


async def test_a_command_that_is_given_up_is_forgotten() -> None:
    """A cancelled command, whose end the driver never signals, is neither kept nor reported."""
    reports: list[CommandReport] = []
    monitor = CommandMonitor(reports.append)
    command = Command(find="transaction")
    held = weakref.ref(command)

    async def send(command: Command) -> None:
        start(monitor, command, 1)
        await asyncio.Event().wait()

    task = asyncio.create_task(send(command))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    del command, task
    assert held() is None
    assert not reports


async def test_the_command_after_one_that_was_given_up_is_reported() -> None:
    """After a cancelled command, the task's next command is reported, and the first is no longer held."""
    reports: list[CommandReport] = []
    monitor = CommandMonitor(reports.append)
    command = Command(find="transaction")
    held = weakref.ref(command)
    start(monitor, command, 1)
    del command
    start(monitor, Command(killSessions="transaction"), 2)
    monitor.succeeded(CommandSucceededEvent(timedelta(seconds=1), {"ok": 1}, "killSessions", 2, ADDRESS, 2))
    assert held() is None
    assert [report.name for report in reports] == ["killSessions"]
