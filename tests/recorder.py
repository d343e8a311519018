"""Records the commands that PyMongo sends, so that tests can state the cost of a query."""

from typing import Any

from pymongo import monitoring

# Varies from run to run and says nothing about the query.
_NOISE = frozenset({"lsid", "$clusterTime", "$db", "$readPreference", "txnNumber", "comment"})
_SETUP = frozenset({"saslStart", "saslContinue", "endSessions", "killCursors"})


class CommandRecorder(monitoring.CommandListener):
    """A listener that keeps the commands sent to the database, without the fields that the driver adds."""

    def __init__(self) -> None:
        self.commands: list[dict[str, Any]] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name not in _SETUP:
            self.commands.append({key: value for key, value in event.command.items() if key not in _NOISE})

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass

    @property
    def names(self) -> list[str]:
        """The names of the commands, in order."""
        return [next(iter(command)) for command in self.commands]
