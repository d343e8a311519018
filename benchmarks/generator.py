"""Load from a tool made for it, wrk where it is on PATH, else autocannon; both walk through the same list."""

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
# Slow peers answer sixteen clients in seconds; wrk itself would give up after two.
_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Generator:
    """A load tool: its name and version for the conditions, and its command."""

    name: str
    command: tuple[str, ...]

    def measure_rate(self, peer: Peer, asks: Sequence[Ask], *, clients: int, seconds: float, folder: Path) -> float:
        """Let clients ask, each as soon as it is answered, the list from its start and around; give answers a second.

        Args:
            peer: who is asked.
            asks: every client takes the next of them, whoever took the one before.
            clients: connections, each with one question at a time.
            seconds: whole ones are what the tools take.
            folder: for the list.

        Raises:
            WrongAnswerError: nobody answers, an answer was an error, or a connection broke; it says how many.
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
    """Give wrk if it is on PATH, else autocannon by Node.

    Raises:
        RuntimeError: neither is here.
    """
    if wrk := shutil.which("wrk"):
        told = subprocess.run([wrk, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603 (from PATH)
        # One thread: a second would take a core from what is measured, and each would walk through a list of its own.
        options = ("--threads", "1", "--connections", "{0}", "--duration", "{1}s", "--timeout", "{2}s")
        return Generator(" ".join(told.split()[:2]), (wrk, *options, "--script", str(_SCRIPT), "{url}", "{requests}"))
    if node:
        script = str(node.folder / "load.mjs")
        version = json.loads((node.folder / "package.json").read_text())["dependencies"]["autocannon"]
        return Generator(
            f"autocannon {version}", (str(node.command), script, "{url}", "{requests}", "{0}", "{1}", "{2}")
        )
    raise RuntimeError("Neither wrk nor Node is here to make load with: install wrk (Debian: apt install wrk).")
