"""A killed mongod: its collections hold what was written, but their metadata counts report 0 documents."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import ConnectionFailure

from database.index import COLLECTION
from database.program import get_program
from tests.waiting import find_free_port, wait_until

HELD = 300


@contextmanager
def run_crashed_mongod(folder: Path) -> Iterator[str]:
    """Yield the address of a server without users whose `shop` database holds HELD transactions, counted as 0."""
    port = find_free_port()
    with MongoClient[dict[str, Any]]("127.0.0.1", port, serverSelectionTimeoutMS=500) as client:
        with _run_mongod(folder, port, client) as process:
            client.shop.create_collection(COLLECTION)
            client.admin.command("fsync")
            documents = [{"_id": str(number), "amount": 1.0} for number in range(HELD)]
            client.shop.get_collection(COLLECTION).insert_many(documents)
            client.shop.command("insert", "other", documents=[{}], writeConcern={"w": 1, "j": True})
            process.kill()
        with _run_mongod(folder, port, client):
            collection = client.shop[COLLECTION]
            assert (collection.estimated_document_count(), collection.count_documents({})) == (0, HELD)
            yield f"127.0.0.1:{port}"


@contextmanager
def _run_mongod(folder: Path, port: int, client: MongoClient[dict[str, Any]]) -> Iterator[subprocess.Popen[bytes]]:
    data = folder / "mongod"
    data.mkdir(exist_ok=True)
    options = ("--nounixsocket", "--bind_ip=127.0.0.1", "--wiredTigerCacheSizeGB=0.25", f"--port={port}")
    command = [*get_program().command, *options, f"--dbpath={data}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: _answers(client), "mongod")
            yield process
        finally:
            process.kill()


def _answers(client: MongoClient[dict[str, Any]]) -> bool:
    try:
        client.admin.command("ping")
    except ConnectionFailure:
        return False
    return True
