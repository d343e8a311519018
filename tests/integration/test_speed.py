"""The speed benchmark at its smallest: the gateway with one peer, and a peer whose responses are wrong."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.agreement import DisagreementError
from benchmarks.client import WrongAnswerError, measure_latency
from benchmarks.generator import find_generator
from benchmarks.node import install_peers
from benchmarks.part import DAYS, PARTS, RAW, Part
from benchmarks.peer import FLASK, OURS, run_peer
from benchmarks.question import Ask
from benchmarks.raw import open_raw_list
from benchmarks.speed import Stage, run_part
from database.client import open_sync_client
from database.embedded import EmbeddedServer
from database.environment import Credentials, DatabaseEnvironment
from database.index import COLLECTION
from database.provision import provision
from seeding.seeder import seed

LIST, COUNT = (replace(part, against={FLASK: None}) for part in PARTS if part.name in {"list", "count"})
WIRE = next(part for part in PARTS if part.name == "wire")


@pytest.fixture(scope="module")
def databases(mongod: EmbeddedServer) -> Iterator[tuple[DatabaseEnvironment, DatabaseEnvironment]]:
    """Readers of two databases with equal documents, except one in the second with another card and amount."""
    admins = [replace(mongod.admin, database=f"speed_{secrets.token_hex(8)}") for _ in range(2)]
    reader = Credentials("reader", secrets.token_urlsafe())
    for admin in admins:
        provision(admin, reader=reader)
        seed(admin, 200, seed=1, workers=1)
    with open_sync_client(admins[1]) as client:
        newest = client[admins[1].database][COLLECTION].find({"cardType": "Visa"}).sort("date", -1).limit(1).next()
        client[admins[1].database][COLLECTION].update_one(newest, {"$set": {"cardType": "Amex", "amount": 0.01}})
    yield admins[0].with_credentials(reader), admins[1].with_credentials(reader)
    with open_sync_client(mongod.admin) as client:
        for admin in admins:
            client.drop_database(admin.database)


@contextmanager
def set_stage(ours: DatabaseEnvironment, theirs: DatabaseEnvironment, folder: Path) -> Iterator[Stage]:
    """The gateway over one database and Flask over the other."""
    generator = find_generator(None if shutil.which("wrk") else install_peers())
    with ExitStack() as stack:
        peers = {
            OURS: stack.enter_context(run_peer(OURS, ours, folder, workers=2)),
            FLASK: stack.enter_context(run_peer(FLASK, theirs, folder, workers=1)),
        }
        raw = stack.enter_context(open_raw_list(ours, DAYS))
        yield Stage(peers, raw, generator, folder, seconds=1, clients=4)


def test_programs_that_agree_are_measured_and_compared(
    databases: tuple[DatabaseEnvironment, DatabaseEnvironment], tmp_path: Path
) -> None:
    """One short round yields a rate per program and a time per path, and failed requests raise errors."""
    true, _ = databases
    with set_stage(true, true, tmp_path) as stage:
        (counted,) = run_part(stage, COUNT, rounds=1)
        (timed,) = run_part(stage, WIRE, rounds=1)
        with pytest.raises(WrongAnswerError, match="404"):
            measure_latency(stage.peers[OURS].url, Ask("/nothing"), 0.1)
        with pytest.raises(WrongAnswerError, match=f"{FLASK} to /nothing; of these [1-9]"):
            stage.generator.measure_rate(stage.peers[FLASK], [Ask("/nothing")], clients=1, seconds=1, folder=tmp_path)
    assert (counted.ours.name, counted.theirs.name) == (OURS, FLASK)
    assert counted.ratio > 0
    assert timed.theirs.name == RAW
    assert timed.ratio > 0


@pytest.mark.parametrize(("part", "said"), [(LIST, "is the first that differs"), (COUNT, "instead of a count of")])
def test_a_peer_that_says_something_else_is_found_out(
    databases: tuple[DatabaseEnvironment, DatabaseEnvironment], tmp_path: Path, part: Part, said: str
) -> None:
    """One differing document out of 200 stops the benchmark before it measures."""
    with (
        set_stage(*databases, tmp_path) as stage,
        pytest.raises(DisagreementError, match=f"{FLASK} does not say what the gateway says: .*{said}"),
    ):
        run_part(stage, part, rounds=1)
