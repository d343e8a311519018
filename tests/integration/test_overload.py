"""More questions than the database's connections can begin are turned away, and say so."""

import asyncio
from typing import Any

import httpx
import pytest
from pymongo import AsyncMongoClient

from database.environment import DatabaseEnvironment
from database.repository import TransactionRepository
from gateway.app import create_app
from gateway.settings import load_settings


@pytest.mark.parametrize("path", ["/transactions/90", "/transactions/90?limit=1", "/transactions/90/card/Visa"])
async def test_a_question_that_cannot_begin_is_turned_away(
    reader_environment: DatabaseEnvironment, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Without a free slot a list, a page and a count are answered with OVERLOADED, 503 and Retry-After."""
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
