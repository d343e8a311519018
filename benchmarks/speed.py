"""Compare the gateway with its peers and with mongod itself: one mongod, the same data, in turns within one run.

`python -m benchmarks speed [PART ...] [--write] [--seconds N] [--rounds N]`. It starts everything itself and leaves
nothing behind, except docs/benchmarks.md and docs/benchmarks.svg with `--write`.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from rich.console import Console

from benchmarks.agreement import DisagreementError, check_agreement, fetch_answer
from benchmarks.client import WrongAnswerError, measure_latency
from benchmarks.conditions import describe_machine, describe_node
from benchmarks.generator import Generator, find_generator
from benchmarks.measure import Comparison, measure_in_turns
from benchmarks.node import Node, NodeMissingError, install_peers
from benchmarks.part import DAYS, OWN_ASKS, OWN_LIST, PARTS, RAW, Figure, Part
from benchmarks.peer import NEED_NODE, OURS, PEERS, Peer, describe_settings, run_peer
from benchmarks.picture import build_picture
from benchmarks.process import open_server
from benchmarks.question import Ask
from benchmarks.raw import RawList, open_raw_list
from benchmarks.table import build_page, build_table
from database.errors import GatewayError
from database.machine import count_cores
from seeding.seeder import seed

_DOCUMENTS = 20_000
_CLIENTS = 16
# Long compared with the slowest peer's answer to sixteen clients: requests in flight at the end do not count.
_SECONDS, _ROUNDS = 4, 5
# Just-in-time compilers need many requests to warm up, in every worker.
_WARM_UP_SECONDS, _WARM_UP_CLIENTS = 2.0, 4
# A steady median takes fewer answers to one client than to sixteen.
_SHARE_OF_ONE_CLIENT = 0.25
_SAMPLES = 4
_DOCS = Path(__file__).parents[1] / "docs"


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs during the measurements.

    Attributes:
        peers: by name, the gateway among them.
        seconds: how long each figure is measured in each round.
        clients: number of concurrent clients when a rate is measured.
        own_shares: the client's own share of each latency; appended to by the measurements.
    """

    peers: dict[str, Peer]
    raw: RawList
    generator: Generator
    folder: Path
    seconds: float
    clients: int = _CLIENTS
    own_shares: list[float] = field(default_factory=list)


def main(arguments: list[str]) -> None:
    """Print the tables of the named parts, or of all, and their conditions."""
    options = _parse(arguments)
    parts = [part for part in PARTS if part.name in (options.parts or [each.name for each in PARTS])]
    console = Console()
    node = _find_node(parts, console)
    workers = count_cores()
    try:
        with _open_stage(parts, node, workers, options.seconds) as (stage, mongod):
            comparisons: list[Comparison] = []
            for part in parts:
                with console.status(part.work):
                    compared = run_part(stage, part, options.rounds)
                if compared:
                    console.print(build_table(compared))
                comparisons += compared
    except (DisagreementError, WrongAnswerError, GatewayError, RuntimeError, OSError) as error:
        sys.exit(f"Nothing is stated: {error}")
    conditions = _describe(stage, node, mongod, workers, options.rounds)
    for name, value in conditions.items():
        console.print(f"{name}: {value}", highlight=False, markup=False)
    if options.write:
        command = " ".join(["python -m benchmarks speed", *arguments])
        (_DOCS / "benchmarks.md").write_text(build_page(comparisons, conditions, command))
        (_DOCS / "benchmarks.svg").write_text(build_picture(comparisons))


def run_part(stage: Stage, part: Part, rounds: int) -> list[Comparison]:
    """Check that all running programs answer a part's requests alike, then measure them in turns.

    Raises:
        DisagreementError: their answers differ.
        WrongAnswerError: an answer was an error, or never arrived.
    """
    names = [name for name in part.against if name in {*stage.peers, *OWN_ASKS, RAW}]
    _check_answers(stage, part, names)
    measures = {name: _build_measure(stage, part, name) for name in (OURS, *names)}
    _warm_up(stage, part, names)
    series = measure_in_turns(measures, rounds)
    return [Comparison(part.work, part.figure.unit, series[OURS], series[name], part.against[name]) for name in names]


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks speed")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(part.name for part in PARTS))
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md and docs/benchmarks.svg")
    parser.add_argument("--seconds", type=int, default=_SECONDS, help="of each figure in each round")
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    options = parser.parse_args(arguments)
    known = [part.name for part in PARTS]
    if unknown := [name for name in options.parts if name not in known]:
        parser.error(f"no part is called {unknown[0]!r}; there are: {', '.join(known)}")
    if options.parts and options.write:
        parser.error("--write takes no parts: what it writes holds all of them")
    if min(options.seconds, options.rounds) < 1:
        parser.error("--seconds and --rounds take whole numbers from 1")
    return options


def _find_node(parts: Sequence[Part], console: Console) -> Node | None:
    if shutil.which("wrk") and not _need_node(parts):
        return None
    try:
        return install_peers()
    except NodeMissingError as error:
        console.print(f"Without {', '.join(sorted(NEED_NODE))}: {error}.", highlight=False)
        return None


def _need_node(parts: Sequence[Part]) -> bool:
    return any(name in NEED_NODE for part in parts for name in part.against)


@contextmanager
def _open_stage(parts: Sequence[Part], node: Node | None, workers: int, seconds: float) -> Iterator[tuple[Stage, str]]:
    """Start everything that the parts need; yield it with mongod's version."""
    wanted = {name for part in parts for name in part.against}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(open_server(folder))
        seed(server.owner, _DOCUMENTS, seed=1)
        names = [OURS, *(name for name in PEERS if name in wanted and (node or name not in NEED_NODE))]
        peers = {name: stack.enter_context(run_peer(name, server.reader, folder, workers, node)) for name in names}
        raw = stack.enter_context(open_raw_list(server.reader, DAYS))
        yield Stage(peers, raw, find_generator(node), folder, seconds), server.version


def _describe(stage: Stage, node: Node | None, mongod: str, workers: int, rounds: int) -> dict[str, str]:
    conditions = {
        **describe_machine(),
        **({"Node": describe_node(node)} if node else {}),
        "MongoDB": f"{mongod}, embedded, on loopback, with the gateway's indexes",
        "data": f"{_DOCUMENTS:,} documents over a year, read by the reader's user",
        "workers": f"{workers} of each program; `flask run` has one",
        "the gateway's settings": describe_settings(),
        "load": f"{stage.generator.name}, one thread, {stage.clients} connections, {stage.seconds:g} s a round",
        "rounds": f"{rounds}, in turns, after a warm-up",
    }
    if stage.own_shares:
        conditions["one client"] = (
            f"a blocking Python client, PyMongo for mongod's batches, for {stage.seconds * _SHARE_OF_ONE_CLIENT:g} s a"
            f" round; of the time of an answer by HTTP at most {max(stage.own_shares):.0%} was the client's own"
        )
    return conditions


def _check_answers(stage: Stage, part: Part, names: Sequence[str]) -> None:
    """Compare the answers to a few requests, spread over all of the part's."""
    # OWN_LIST is left out: it has other rows than the page that it is timed beside.
    compared = [name for name in names if name != OWN_LIST]
    number = len(_ask(stage, part, OURS))
    for place in {number * sample // _SAMPLES for sample in range(_SAMPLES)}:
        check_agreement(
            partial(_answer, stage, part, OURS, place),
            {name: partial(_answer, stage, part, name, place) for name in compared},
        )


def _answer(stage: Stage, part: Part, name: str, place: int) -> bytes:
    if name == RAW:
        return stage.raw.read()
    return fetch_answer(_get_peer(stage, name).url, _ask(stage, part, name)[place])


def _ask(stage: Stage, part: Part, name: str) -> Sequence[Ask]:
    return [OWN_ASKS[name]] if name in OWN_ASKS else part.ask(stage.peers[name].dialect)


def _get_peer(stage: Stage, name: str) -> Peer:
    return stage.peers[OURS if name in OWN_ASKS else name]


def _warm_up(stage: Stage, part: Part, names: Sequence[str]) -> None:
    for name in (OURS, *names):
        if name != RAW:
            _measure_rate(stage, part, name, _WARM_UP_CLIENTS, _WARM_UP_SECONDS)


def _build_measure(stage: Stage, part: Part, name: str) -> Callable[[], float]:
    if part.figure is Figure.RATE:
        return partial(_measure_rate, stage, part, name, stage.clients, stage.seconds)
    return partial(_measure_latency, stage, part, name)


def _measure_rate(stage: Stage, part: Part, name: str, clients: int, seconds: float) -> float:
    peer, asks = _get_peer(stage, name), _ask(stage, part, name)
    return stage.generator.measure_rate(peer, asks, clients=clients, seconds=seconds, folder=stage.folder)


def _measure_latency(stage: Stage, part: Part, name: str) -> float:
    """Return the time to an answer's end, or to its start, in ms."""
    seconds = stage.seconds * _SHARE_OF_ONE_CLIENT
    if name == RAW:
        take = stage.raw.measure_first if part.figure is Figure.FIRST else stage.raw.measure_whole
        return 1000 * take(seconds)
    latency = measure_latency(_get_peer(stage, name).url, _ask(stage, part, name)[0], seconds)
    stage.own_shares.append(latency.own / latency.whole)
    return 1000 * (latency.first if part.figure is Figure.FIRST else latency.whole)
