"""The npm clients graphql-ws and graphql-sse, unmodified, against a gateway."""

import json
import subprocess
from itertools import count
from pathlib import Path

import pytest

from schema.context import read_clock_ms
from tests.conftest import ServedDatabase
from tests.node import NodeFolder, install_packages
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def subscribers() -> NodeFolder:
    return install_packages(Path(__file__).parents[1] / "subscribers")


def test_clients_of_npm_are_served(served: ServedDatabase, subscribers: NodeFolder) -> None:
    """A query, an error and a subscription reach both clients as they expect, and no event is missed."""
    numbers = count()

    def add_until_ended() -> bool:
        served.collection.insert_one({"_id": f"npm {next(numbers)}", "date": read_clock_ms(), "cardType": "Visa"})
        return process.poll() is not None

    command = [str(subscribers.node), "subscribers.mjs", served.gateway.url]
    with subprocess.Popen(
        command, cwd=subscribers.path, env=subscribers.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        wait_until(add_until_ended, "the clients of npm")
        told, complaints = process.communicate()
    assert process.returncode == 0, complaints.decode()
    for name, heard in json.loads(told).items():
        assert heard["query"] == [{"data": {"__typename": "Query"}}], name
        assert heard["failure"][0]["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED", name
        first = int(heard["ids"][0].removeprefix("npm "))
        assert heard["ids"] == [f"npm {first + step}" for step in range(3)], name
