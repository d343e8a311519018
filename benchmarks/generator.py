"""Generate load with wrk if it is on PATH, else with autocannon; both go through the same list of requests."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.client import WrongAnswerError
from benchmarks.node import Node
from benchmarks.peer import Peer
from benchmarks.question import Ask

_SCRIPT = Path(__file__).with_name("requests.lua")
# Slow peers take seconds to answer sixteen clients; by default wrk gives up after two.
_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Generator:
    """A load generator: its name and version for the conditions, and its command."""

    name: str
    command: tuple[str, ...]

    def measure_rate(self, peer: Peer, asks: Sequence[Ask], *, clients: int, seconds: float, folder: Path) -> float:
        """Return the answers per second to clients that each send the next request once the last is answered.

        Args:
            peer: the program under load.
            asks: the requests, cycled through; wrk's clients share one position, autocannon's each have their own.
            clients: connections, each with one request at a time.
            seconds: duration; the tools only accept whole seconds.
            folder: where to write the list of requests.

        Raises:
            WrongAnswerError: there was no answer, an answer was an error, or a connection broke; it says how many.
        """
        requests = folder / "requests.txt"
        requests.write_text("".join(f"{ask.path}\t{ask.body or ''}\n" for ask in asks))
        numbers = (str(clients), str(max(1, round(seconds))), str(_TIMEOUT_SECONDS))
        run = subprocess.run(  # noqa: S603 (our own command)
            [part.format(*numbers, url=peer.url, requests=requests) for part in self.command],
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode:
            raise WrongAnswerError(f"{peer.name} could not be asked: {(run.stderr or run.stdout).strip()}")
        report = json.loads(run.stdout.splitlines()[-1])
        if not report["answers"]:
            raise WrongAnswerError(f"{peer.name} answered none of {clients} clients in {seconds} s: give it more.")
        if report["errors"] or report["broken"]:
            raise WrongAnswerError(
                f"{clients} clients had {report['answers']} answers of {peer.name} to {asks[0].path}; of these"
                f" {report['errors']} were errors, and {report['broken']} more never came whole."
            )
        return float(report["answers"]) / float(report["seconds"])


def find_generator(node: Node | None) -> Generator:
    """Return wrk if it is on PATH, else autocannon run by Node.

    Raises:
        RuntimeError: neither is available.
    """
    if wrk := shutil.which("wrk"):
        told = subprocess.run([wrk, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603 (from PATH)
        # One thread: a second would take a core from what is measured, and each would go through its own list.
        options = ("--threads", "1", "--connections", "{0}", "--duration", "{1}s", "--timeout", "{2}s")
        return Generator(" ".join(told.split()[:2]), (wrk, *options, "--script", str(_SCRIPT), "{url}", "{requests}"))
    if node:
        script = str(node.folder / "load.mjs")
        version = json.loads((node.folder / "package.json").read_text())["dependencies"]["autocannon"]
        return Generator(
            f"autocannon {version}", (str(node.command), script, "{url}", "{requests}", "{0}", "{1}", "{2}")
        )
    raise RuntimeError("Neither wrk nor Node is here to make load with: install wrk (Debian: apt install wrk).")
