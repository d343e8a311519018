"""Build the image, start compose.yaml and check what runs: `make check-image`, on a machine with Docker.

Where no image registry is reachable, stand-ins (deploy/image/stand_in.py) replace third-party images.
"""

import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

from deploy.checks import CheckError
from deploy.image.answer import check_answers, check_monitoring
from deploy.image.confinement import check_confinement, check_image, check_secrets
from deploy.image.docker import open_docker
from deploy.image.function import check_function
from deploy.image.site import Site, open_site
from deploy.image.stop import check_stop

_CHECKS: dict[str, Callable[[Site], Iterator[str]]] = {
    "image": check_image,
    "confinement": check_confinement,
    "secrets": check_secrets,
    "answers": check_answers,
    "monitoring": check_monitoring,
    "function": check_function,
    "stop": check_stop,
}


def main() -> int:
    """Run all checks and print how many facts each has proven; return 1 if any failed."""
    # Leaving by an exception stops the daemon and the containers.
    signal.signal(signal.SIGTERM, _leave)
    failed = 0
    try:
        with open_docker() as docker, tempfile.TemporaryDirectory() as folder:
            started = time.monotonic()
            with open_site(docker, Path(folder)) as site:
                _tell("built and started", len(site.list_containers()), started)
                for name, check in _CHECKS.items():
                    started = time.monotonic()
                    try:
                        _tell(name, sum(1 for _ in check(site)), started)
                    except CheckError as error:
                        failed += 1
                        sys.stdout.write(f"{name:<22} FAILED\n{error}\n")
                whole, own = site.measure_image()
                sys.stdout.write(
                    f"the image takes {whole / 1e6:.0f} MB unpacked, {own / 1e6:.0f} MB of it beside its base\n"
                )
                if site.stand_ins:
                    sys.stdout.write(f"stand-ins for: {', '.join(site.stand_ins)}\n")
                if not site.has_grafana:
                    sys.stdout.write("Grafana has not run: its image is not to be had, and no package holds it\n")
    except CheckError as error:
        sys.stdout.write(f"{error}\n")
        return 1
    return int(failed > 0)


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)


def _tell(name: str, count: int, started: float) -> None:
    sys.stdout.write(f"{name:<22} {count:>5} passed {time.monotonic() - started:>6.1f} s\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
