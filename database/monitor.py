"""Report the driver's commands, its connections and the state of the primary.

Nothing here may raise: the driver would print a stack trace.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from pymongo import monitoring

from database.meter import METER

# Commands that the driver sends on its own account, not for a request.
_HANDSHAKE = frozenset({"saslStart", "saslContinue", "authenticate", "endSessions"})
# The comment on commands that no request waits for and that may take long, such as those of change streams.
UPKEEP = "transactions-gateway upkeep"


@dataclass(frozen=True, slots=True)
class CommandReport:
    """One completed command.

    Attributes:
        name: such as `find`.
        seconds: from sending the command to its reply.
        error: why it failed, as the server's or the driver's name for it, or None.
        command: as sent, values included: never show it.
    """

    name: str
    database: str
    collection: str
    seconds: float
    error: str | None
    command: Mapping[str, Any] = field(repr=False)


CommandObserver: TypeAlias = Callable[[CommandReport], None]


class CommandMonitor(monitoring.CommandListener):
    """Report each command to every observer, in the task that sent it, and add its time to that task's meter."""

    def __init__(self, *observers: CommandObserver) -> None:
        self._observers = observers
        # A task sends one command at a time. The driver does not report the end of a cancelled command: its entry is
        # overwritten by the next command, or dropped with the task.
        self._sent: WeakKeyDictionary[asyncio.Task[Any], tuple[int, Mapping[str, Any]]] = WeakKeyDictionary()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        task = asyncio.current_task()
        if task and event.command_name not in _HANDSHAKE and event.command.get("comment") != UPKEEP:
            self._sent[task] = event.request_id, event.command

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        self._report(event, None)

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        # The message of a failure may quote a document; its name does not.
        self._report(event, str(event.failure.get("codeName") or event.failure.get("errtype") or "Failed"))

    def _report(
        self, event: monitoring.CommandSucceededEvent | monitoring.CommandFailedEvent, error: str | None
    ) -> None:
        task = asyncio.current_task()
        sent = self._sent.pop(task, None) if task else None
        if sent is None or sent[0] != event.request_id:
            return
        command = sent[1]
        seconds = event.duration_micros / 1e6
        if meter := METER.get():
            meter.seconds += seconds
        # `getMore` holds a cursor id as its value and names its collection separately; some commands name none.
        named = command.get("collection") or command.get(event.command_name)
        collection = named if isinstance(named, str) else ""
        report = CommandReport(event.command_name, event.database_name, collection, seconds, error, command)
        for observe in self._observers:
            observe(report)


class PoolMonitor(monitoring.ConnectionPoolListener):
    """Call `change(idle, in_use)` whenever a connection changes state, with what to add to each number."""

    def __init__(self, change: Callable[[int, int], None]) -> None:
        self._change = change

    def connection_created(self, event: monitoring.ConnectionCreatedEvent) -> None:  # noqa: ARG002 - the driver's API
        self._change(1, 0)

    def connection_checked_out(self, event: monitoring.ConnectionCheckedOutEvent) -> None:  # noqa: ARG002 - as above
        self._change(-1, 1)

    def connection_checked_in(self, event: monitoring.ConnectionCheckedInEvent) -> None:  # noqa: ARG002 - as above
        self._change(1, -1)

    def connection_closed(self, event: monitoring.ConnectionClosedEvent) -> None:  # noqa: ARG002 - as above
        self._change(-1, 0)

    def connection_ready(self, event: monitoring.ConnectionReadyEvent) -> None:
        pass

    def connection_check_out_started(self, event: monitoring.ConnectionCheckOutStartedEvent) -> None:
        pass

    def connection_check_out_failed(self, event: monitoring.ConnectionCheckOutFailedEvent) -> None:
        pass

    def pool_created(self, event: monitoring.PoolCreatedEvent) -> None:
        pass

    def pool_ready(self, event: monitoring.PoolReadyEvent) -> None:
        pass

    def pool_cleared(self, event: monitoring.PoolClearedEvent) -> None:
        pass

    def pool_closed(self, event: monitoring.PoolClosedEvent) -> None:
        pass


class PrimaryMonitor(monitoring.TopologyListener):
    """Call `note_away` when the database's primary becomes or starts out unreachable, and `note_back` on its return."""

    def __init__(self, note_away: Callable[[], None], note_back: Callable[[], None]) -> None:
        self._note_away = note_away
        self._note_back = note_back
        self._is_away = False

    def opened(self, event: monitoring.TopologyOpenedEvent) -> None:
        pass

    def description_changed(self, event: monitoring.TopologyDescriptionChangedEvent) -> None:
        servers = event.new_description.server_descriptions().values()
        if event.new_description.has_readable_server():
            if self._is_away:
                self._note_back()
            self._is_away = False
        # Before its first reply a server has neither been reached nor failed; a closed client has no servers.
        elif servers and (event.previous_description.has_readable_server() or any(each.error for each in servers)):
            if not self._is_away:
                self._note_away()
            self._is_away = True

    def closed(self, event: monitoring.TopologyClosedEvent) -> None:
        pass
