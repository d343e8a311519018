"""A process that reaches a server as `gateway up` does, says so in one JSON line, and stays until its input closes.

Told to, it kills itself at a step: at an audit event of Python's, or before or after a command to the server.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from pymongo import monitoring

from database.embedded import reach_server
from database.environment import DatabaseEnvironment


class _Death(monitoring.CommandListener):
    """Ends the process as kill -9 does when the event has happened so many times before."""

    def __init__(self, event: str, spared: int) -> None:
        self._event = event
        self._spared = spared

    def happen(self, event: str) -> None:
        if event == self._event:
            self._spared -= 1
            if self._spared < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        self.happen(f"open {Path(str(arguments[0])).name}" if event == "open" else event)

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.happen(f"before {event.command_name}")

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        self.happen(f"after {event.command_name}")

    def failed(self, _event: monitoring.CommandFailedEvent) -> None:
        pass


def main(folder: str, port: str, event: str = "", spared: str = "0") -> None:
    """Run with the arguments of the command line."""
    death = _Death(event, int(spared))
    monitoring.register(death)
    sys.addaudithook(death.audit)
    environment = DatabaseEnvironment("owner", "the owner's", "127.0.0.1", int(port), "transactions")
    said: list[str] = []
    with reach_server(environment, Path(folder), say=said.append) as reached:
        pid = reached.embedded.pid if reached.embedded else None
        sys.stdout.write(json.dumps({"pid": pid, "reader": reached.reader.username, "said": said}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
