"""A process that reaches a server as `gateway up` does, reports it in one JSON line, and runs until stdin closes.

If asked to, it kills itself at a given point: a Python audit event, or before or after a command to the server.
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
    """Kills the process with SIGKILL at an event, after sparing its first occurrences."""

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
    """Run with the command line's arguments."""
    death = _Death(event, int(spared))
    monitoring.register(death)
    sys.addaudithook(death.audit)
    environment = DatabaseEnvironment("owner", "the owner's", "127.0.0.1", int(port), "transactions")
    said: list[str] = []
    with reach_server(environment, Path(folder), notify=said.append) as reached:
        pid = reached.embedded.pid if reached.embedded else None
        sys.stdout.write(json.dumps({"pid": pid, "reader": reached.reader.username, "said": said}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
