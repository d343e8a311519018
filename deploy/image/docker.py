"""A Docker daemon: the machine's, or, for root where none answers, one of its own that ends with what is in it.

It must not know what is run in it.
"""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.checks import CheckError
from deploy.tool import find_installed, require, run_program

# Debian's packages docker.io and docker-compose; another client may lie before these on PATH and lack the builder.
_CLIENT = Path("/usr/bin/docker")
_DAEMON = Path("/usr/sbin/dockerd")
_PATIENCE_SECONDS = 60
_STOP_SECONDS = 120
# It runs until whoever started it closes its standard input, or dies by whatever signal. The bridges of networks belong
# to the machine and not to the daemon: with their containers they are removed before it ends.
_GUARD = r"""
"$DAEMON" "$@" >"$FOLDER/daemon.log" 2>&1 &
cat
"$CLIENT" ps --all --quiet | xargs --no-run-if-empty "$CLIENT" rm --force --volumes
"$CLIENT" network prune --force
kill $!
wait $!
rm -rf "$FOLDER"
"""


@dataclass(frozen=True, slots=True)
class Docker:
    """A daemon that answers.

    Attributes:
        client: the command.
        is_own: whether nobody else has images in it.
        variables: lead to the daemon.
    """

    client: Path
    is_own: bool
    variables: Mapping[str, str] = field(default_factory=dict)

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run the client to its end, whatever it says."""
        return run_program(self.client, *arguments, variables=dict(self.variables))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the client, to be read from while it runs."""
        return subprocess.Popen(  # noqa: S603 - Docker's client
            [str(self.client), *arguments],
            env={**os.environ, **self.variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def require(self, *arguments: str | Path) -> str:
        """Run the client and give what it printed.

        Raises:
            CheckError: it failed.
        """
        return require(self.client, *arguments, variables=dict(self.variables))

    def compose(self, *arguments: str, **variables: str) -> str:
        """Run compose, version 2 or Debian's 1, and give what it printed.

        Raises:
            CheckError: it failed, or is not installed.
        """
        given = {**self.variables, **variables}
        if self.run("compose", "version").returncode == 0:
            return require(self.client, "compose", *arguments, variables=given)
        if program := find_installed("docker-compose"):
            return require(program, *arguments, variables=given)
        raise CheckError("compose is missing: install Docker's plugin (Debian: apt-get install docker-compose)")


@contextmanager
def open_docker() -> Iterator[Docker]:
    """Give a daemon; one of its own is ended with all that it holds when the block ends, or this process by any signal.

    Raises:
        CheckError: none answers, and none can be started.
    """
    installed = find_installed("docker")
    if installed and run_program(installed, "info").returncode == 0:
        yield Docker(installed, is_own=False)
        return
    if os.geteuid() != 0 or not (_CLIENT.exists() and _DAEMON.exists()):
        raise CheckError(
            "no Docker daemon answers: start it, or, to have one of its own, install Debian's packages docker.io, "
            "docker-compose and mmdebstrap and run this as root"
        )
    with _run_daemon() as docker:
        yield docker


@contextmanager
def _run_daemon() -> Iterator[Docker]:
    folder = Path(tempfile.mkdtemp(prefix="gateway-docker-"))
    socket = f"unix://{folder}/docker.sock"
    variables = {"DOCKER_HOST": socket, "DOCKER_BUILDKIT": "1"}
    options = (
        *("--data-root", folder / "data", "--exec-root", folder / "exec", "--pidfile", folder / "pid"),
        *("--host", socket, "--storage-driver", "overlay2"),
        # Builds use the machine's network, and containers reach each other and loopback: nothing is to be forwarded.
        # Of its rules in the machine's firewall those of a network go with it, and empty chains stay.
        *("--bridge=none", "--ip-forward=false", "--ip-masq=false"),
    )
    environ = {**os.environ, **variables, "FOLDER": str(folder), "DAEMON": str(_DAEMON), "CLIENT": str(_CLIENT)}
    with subprocess.Popen(  # noqa: S603 - the daemon with the options above
        ["/bin/sh", "-c", _GUARD, "guard", *options],
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # Ctrl-C is for those who wait for it.
        start_new_session=True,
    ) as guard:
        docker = Docker(_CLIENT, is_own=True, variables=variables)
        try:
            deadline = time.monotonic() + _PATIENCE_SECONDS
            while docker.run("info").returncode:
                if time.monotonic() > deadline:
                    raise CheckError(f"dockerd does not answer:\n{(folder / 'daemon.log').read_text()[-2000:]}")
                time.sleep(0.2)
            yield docker
        finally:
            if guard.stdin:
                guard.stdin.close()
            guard.wait(_STOP_SECONDS)
