"""What is seen of the commands that the driver sends."""

import asyncio
import weakref
from datetime import timedelta
from typing import Any

from pymongo.monitoring import CommandStartedEvent, CommandSucceededEvent

from database.monitor import CommandMonitor, CommandReport

ADDRESS = ("localhost", 27017)


class Command(dict[str, Any]):
    """A command of which is seen whether it is still held."""


def start(monitor: CommandMonitor, command: Command, request_id: int) -> None:
    monitor.started(CommandStartedEvent(command, "transactions", request_id, ADDRESS, request_id))


async def test_a_command_that_is_given_up_is_forgotten() -> None:
    """Of a command that is cancelled, which the driver tells no end of, nothing is kept and nothing reported."""
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
    """A task whose command was cancelled and that sends another is told of that one, and does not hold the first."""
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
