"""Provide a Docker daemon: the machine's, or, if none answers and the user is root, a private, temporary one.

It must not know what runs in the daemon.
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

# Where Debian's packages install them; another client may come earlier on PATH and lack the builder.
_CLIENT = Path("/usr/bin/docker")
_DAEMON = Path("/usr/sbin/dockerd")
_PATIENCE_SECONDS = 60
_STOP_SECONDS = 120
# Runs until its parent closes the standard input or dies by any signal. The bridges of networks belong to the machine,
# not to the daemon: they and their containers are removed before it ends.
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
        client: the client's path.
        is_own: whether the daemon is private, without anybody else's images.
        variables: environment variables that lead the client to the daemon.
    """

    client: Path
    is_own: bool
    variables: Mapping[str, str] = field(default_factory=dict)

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run the client to its end and return the result, even if it failed."""
        return run_program(self.client, *arguments, variables=dict(self.variables))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the client, whose output can be read while it runs."""
        return subprocess.Popen(  # noqa: S603 - Docker's client
            [str(self.client), *arguments],
            env={**os.environ, **self.variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def require(self, *arguments: str | Path) -> str:
        """Run the client and return what it printed.

        Raises:
            CheckError: it failed.
        """
        return require(self.client, *arguments, variables=dict(self.variables))

    def compose(self, *arguments: str, **variables: str) -> str:
        """Run compose, version 2 or Debian's version 1, and return what it printed.

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
    """Yield a daemon; a private one is removed with its data when the block ends or any signal ends this process.

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
        # Builds use the machine's network, and containers reach each other and loopback: no forwarding is needed.
        # Of the daemon's firewall rules, those of a network are removed with it; empty chains stay.
        *("--bridge=none", "--ip-forward=false", "--ip-masq=false"),
    )
    environ = {**os.environ, **variables, "FOLDER": str(folder), "DAEMON": str(_DAEMON), "CLIENT": str(_CLIENT)}
    with subprocess.Popen(  # noqa: S603 - the daemon with the options above
        ["/bin/sh", "-c", _GUARD, "guard", *options],
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # Ctrl-C must reach only the parent, which then stops the guard.
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
