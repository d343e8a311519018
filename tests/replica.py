"""A replica set of child processes with users and a key file as in production; members can be killed and hung."""

import secrets
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from database.environment import Credentials, DatabaseEnvironment
from database.program import get_program
from tests.waiting import find_free_port, hang, wait_until

_NAME = "trial"
_HEARTBEAT_MS = 500


@dataclass(eq=False)
class Member:
    """One mongod of the set: its port, its folder, its own options, and its process once started."""

    port: int
    folder: Path
    options: tuple[str, ...]
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        """Start the process; it does not accept connections immediately."""
        own = (f"--port={self.port}", f"--dbpath={self.folder}", f"--keyFile={self.folder.parent / 'key'}")
        shared = ("--auth", "--nounixsocket", "--bind_ip=127.0.0.1", "--wiredTigerCacheSizeGB=0.25", "--oplogSize=64")
        trial = (f"--replSet={_NAME}", "--setParameter=enableTestCommands=1")
        command = [*get_program().command, *own, *shared, *trial, *self.options]
        # SIGXFSZ stays ignored, as in Python: exceeding a file size limit is then an error for mongod and does not kill
        # it.
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, restore_signals=False)

    def is_listening(self) -> bool:
        """Return whether the process accepts connections."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        """Kill the process with SIGKILL, hung or not."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Hang the process: its sockets stay open but it responds to nothing."""
        hang(self.process.pid)

    def resume(self) -> None:
        """Resume a hung process."""
        self.process.send_signal(signal.SIGCONT)


@dataclass(frozen=True)
class ReplicaSet:
    """A running set, the administrator's connection settings, and a client with the administrator's rights."""

    members: tuple[Member, ...]
    admin: DatabaseEnvironment
    client: MongoClient[dict[str, Any]]

    def find_primary(self) -> Member | None:
        """Return the member that reports itself as primary, or None."""
        return next((member for member in self.members if _is_primary(member)), None)

    def await_primary(self) -> Member:
        """Wait for a primary and return it."""
        wait_until(self.find_primary, "a primary")
        return self.find_primary() or self.await_primary()

    def step_down(self) -> None:
        """Make the primary step down for long enough that another member is elected."""
        self.client.admin.command("replSetStepDown", 30, secondaryCatchUpPeriodSecs=10)

    def await_secondaries(self) -> None:
        """Wait until all other members are secondaries, and so electable."""
        wait_until(self._is_whole, "the secondaries")

    def _is_whole(self) -> bool:
        try:
            states = [member["stateStr"] for member in self.client.admin.command("replSetGetStatus")["members"]]
        except PyMongoError:
            return False
        return sorted(states) == ["PRIMARY", *["SECONDARY"] * (len(self.members) - 1)]


@contextmanager
def run_replica_set(
    folder: Path, *options: str, members: int = 3, election_ms: int = 1_000, database: str = "trial"
) -> Iterator[ReplicaSet]:
    """Run a set until the block ends.

    Args:
        folder: an empty folder for the data and the key file.
        options: further mongod options for each member.
        members: how many.
        election_ms: how long the primary may be silent before an election; MongoDB's default is 10,000.
        database: the database in the administrator's URI.
    """
    key = folder / "key"
    key.touch(mode=0o600)
    key.write_text(secrets.token_hex(128))
    mongods = tuple(Member(find_free_port(), folder / str(number), options) for number in range(members))
    try:
        for mongod in mongods:
            mongod.folder.mkdir()
            mongod.start()
        hosts = [f"127.0.0.1:{mongod.port}" for mongod in mongods]
        admin = Credentials("admin", secrets.token_urlsafe())
        for mongod in mongods:
            wait_until(mongod.is_listening, "the member")
        _initiate(hosts, admin, election_ms)
        server = DatabaseEnvironment(uri=f"mongodb://{','.join(hosts)}/{database}?replicaSet={_NAME}")
        environment = server.with_credentials(admin, auth_source="admin")
        with MongoClient[dict[str, Any]](environment.connection_uri) as client:
            running = ReplicaSet(mongods, environment, client)
            running.await_secondaries()
            yield running
    finally:
        for mongod in mongods:
            if hasattr(mongod, "process"):
                mongod.kill()


def _initiate(hosts: list[str], admin: Credentials, election_ms: int) -> None:
    with MongoClient[dict[str, Any]](f"mongodb://{hosts[0]}/?directConnection=true") as client:
        configuration = {
            "_id": _NAME,
            "members": [{"_id": number, "host": host} for number, host in enumerate(hosts)],
            "settings": {"electionTimeoutMillis": election_ms, "heartbeatIntervalMillis": _HEARTBEAT_MS},
        }
        client.admin.command("replSetInitiate", configuration)
        wait_until(lambda: client.admin.command("hello")["isWritablePrimary"], "the first primary")
        client.admin.command("createUser", admin.username, pwd=admin.password, roles=["root"])


def _is_primary(member: Member) -> bool:
    options: dict[str, Any] = {"directConnection": True, "serverSelectionTimeoutMS": 200, "socketTimeoutMS": 200}
    try:
        with MongoClient[dict[str, Any]]("127.0.0.1", member.port, **options) as client:
            return bool(client.admin.command("hello")["isWritablePrimary"])
    except PyMongoError:
        return False
