"""Queries that cannot start, or finish soon, are refused with an error that says so."""

import asyncio
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from pymongo import AsyncMongoClient

from database.environment import DatabaseEnvironment
from database.repository import TransactionRepository
from gateway.app import create_app
from gateway.settings import load_settings
from seeding.seeder import seed
from tests.process import run_gateway
from tests.waiting import DEADLINE_SECONDS, find_free_port

DOCUMENTS = 2_000
BURST = 40


@pytest.mark.parametrize("path", ["/transactions/90", "/transactions/90?limit=1", "/transactions/90/card/Visa"])
async def test_a_question_that_cannot_begin_is_turned_away(
    reader_environment: DatabaseEnvironment, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Without a free slot, a list, a page and a count get OVERLOADED, 503 and Retry-After."""
    monkeypatch.setattr("database.repository._LONGEST_WAIT_SECONDS", 0.05)
    app = create_app(load_settings({}), reader_environment)
    async with AsyncMongoClient[dict[str, Any]](reader_environment.connection_uri) as client:
        app.state.repository = TransactionRepository(client, reader_environment.database, timeout_ms=10_000)
        monkeypatch.setattr(app.state.repository, "_slots", asyncio.Semaphore(0))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
            answer = await http.get(path)
    assert answer.status_code == 503
    assert answer.json()["code"] == "OVERLOADED"
    assert answer.headers["retry-after"] == "5"


class NoSlots(asyncio.Semaphore):
    """A semaphore that lets no query reach the database until a slot is released; `asked` is set when one wants to."""

    def __init__(self) -> None:
        super().__init__(0)
        self.asked = asyncio.Event()

    async def acquire(self) -> Literal[True]:
        self.asked.set()
        return await super().acquire()


async def test_nobody_waits_for_the_end_of_a_summary(
    reader_environment: DatabaseEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a summary waits for the database, another request is served, even with a concurrency limit of 1."""
    app = create_app(load_settings({"GATEWAY_MAX_CONCURRENT": "1"}), reader_environment)
    async with AsyncMongoClient[dict[str, Any]](reader_environment.connection_uri) as client:
        app.state.repository = TransactionRepository(client, reader_environment.database, timeout_ms=10_000)
        slots = NoSlots()
        monkeypatch.setattr(app.state.repository, "_slots", slots)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
            summary = asyncio.create_task(http.get("/transactions/1/summary"))
            await slots.asked.wait()
            assert (await http.post("/graphql", json={"query": "{ __typename }"})).is_success
            assert not summary.done()
            slots.release()
            assert (await summary).is_success


async def test_a_burst_beyond_what_may_wait_is_turned_away(environment: DatabaseEnvironment, tmp_path: Path) -> None:
    """In a burst some requests succeed, the others are refused; readiness fails and recovers by itself."""
    seed(environment, DOCUMENTS, seed=1)
    with run_gateway(environment, find_free_port(), tmp_path, GATEWAY_MAX_CONCURRENT="1") as gateway:
        async with httpx.AsyncClient(base_url=gateway.url, timeout=60) as http:
            right = (await http.get("/transactions/36500")).content
            fell = asyncio.create_task(await_readiness(http, 503))
            answers: list[httpx.Response] = []
            while not fell.done():
                answers += await asyncio.gather(*(http.get("/transactions/36500") for _ in range(BURST)))
            assert (await fell).json()["code"] == "OVERLOADED"
            await await_readiness(http, 200)
    refused = [answer for answer in answers if answer.status_code != 200]
    assert {answer.content for answer in answers if answer not in refused} == {right}
    assert {(answer.json()["code"], answer.headers["retry-after"]) for answer in refused} == {("OVERLOADED", "5")}


async def await_readiness(http: httpx.AsyncClient, status: int) -> httpx.Response:
    """Request readiness until it has this status."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while (answer := await http.get("/health/ready")).status_code != status:
            pass
    return answer
