"""Check that the gateway stops cleanly while several clients send requests."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from deploy.checks import CheckError
from deploy.image.fact import prove
from deploy.image.site import IMAGE, Site

_LOAD = Path(__file__).with_name("load.py")
_STOP_SECONDS = 30
_OK = 200


def check_stop(site: Site) -> Iterator[str]:
    """Prove that SIGTERM under load loses no request, and that the gateway then ends by itself and can serve again."""
    gateway = site.describe("gateway")["Id"]
    key = (site.folder / "transactions").read_text().strip()
    script = _LOAD.read_text()
    client = ("run", "--rm", "--network", f"container:{gateway}", "--entrypoint", "python", IMAGE, "-c", script)
    with site.docker.start(*client, "5000", key) as load:
        if load.stdout is None or load.stdout.readline() != "steady\n":
            raise CheckError(f"nothing asks the gateway: {load.communicate()}")
        site.docker.require("stop", "--time", str(_STOP_SECONDS), gateway)
        try:
            said, faults = load.communicate(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            load.kill()
            raise CheckError("the port does not refuse after the stop") from None
    if load.returncode:
        raise CheckError(f"the load broke off: {faults}")
    counts: dict[str, int] = json.loads(said)
    refused = counts.pop("refused")
    yield from prove(
        (counts.keys() == {str(_OK)}, f"every request that was sent is answered by 200: {counts}"),
        (refused > 0, "then the port refuses"),
    )
    sys.stdout.write(
        f"  SIGTERM among {counts[str(_OK)]} answered requests of {refused} clients, until all are refused\n"
    )
    state = site.describe("gateway")["State"]
    yield from prove((state["ExitCode"] == 0, f"the gateway ends by itself: {state['ExitCode']}"))
    site.docker.require("start", gateway)
    site.await_gateway()
    yield "it serves again"
