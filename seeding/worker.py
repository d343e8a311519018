"""A worker process that generates and stores every n-th chunk of a set. It reports to its parent and ends with it."""

from dataclasses import dataclass
from multiprocessing.connection import Connection

from database.environment import DatabaseEnvironment
from database.errors import GatewayError
from database.loader import Loader, open_loader
from seeding.document import build_documents, build_identifiers
from seeding.plan import Plan
from seeding.pool import build_pools


@dataclass(frozen=True, slots=True)
class Loaded:
    """The result of one chunk: documents stored now, and documents that were already there."""

    added: int
    found: int


@dataclass(frozen=True, slots=True)
class Finished:
    """The last report of a worker, which did its share, was asked to stop, or failed with `error`."""

    error: GatewayError | None = None


def work(connection: Connection, environment: DatabaseEnvironment, plan: Plan, first: int, step: int) -> None:
    """Store the chunks `first`, `first + step`, … until they are done, the parent sends a message, or it dies."""
    try:
        with open_loader(environment) as loader:
            _load_chunks(connection, loader, plan, range(first, plan.chunks, step))
        connection.send(Finished())
    except GatewayError as error:
        connection.send(Finished(error))
    except ConnectionError:
        # The parent was killed: no process is left to report to, and the next run finds what was stored.
        pass


def _load_chunks(connection: Connection, loader: Loader, plan: Plan, chunks: range) -> None:
    for chunk in chunks:
        # True if the parent has asked to stop, and also if it died, which closes its end of the pipe.
        if connection.poll():
            return
        identifiers = build_identifiers(plan.seed, chunk, plan.size_of(chunk))
        # The server usually inserts in order, so the first document shows whether an earlier run began the chunk.
        # Otherwise `load` skips the duplicates.
        stored = loader.find_stored(identifiers) if loader.holds(identifiers[0]) else set()
        added = 0
        if len(stored) < len(identifiers):
            documents = build_documents(plan.seed, chunk, len(identifiers), build_pools(plan.seed), plan.until)
            added = loader.load([document for document in documents if document["_id"] not in stored])
        connection.send(Loaded(added, len(identifiers) - added))
