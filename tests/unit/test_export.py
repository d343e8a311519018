"""Exports without a database: when pyarrow is loaded, and what is reported when it is not installed."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import cast

import httpx
import pytest

from database.environment import DatabaseEnvironment
from database.query import TransactionFilter
from database.repository import TransactionRepository
from gateway import export
from gateway.app import create_app
from gateway.list_request import ListRequest
from gateway.rows import NDJSON
from gateway.settings import load_settings

NEEDED = ["application/vnd.apache.parquet", "application/vnd.apache.arrow.stream"]


@pytest.fixture
def without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hide pyarrow, with the cached lookups cleared before and after."""
    caches = (export.has_pyarrow, export._choose_by_accept)  # noqa: SLF001 - no public access to it
    with monkeypatch.context() as patch:
        patch.setattr(export, "find_spec", lambda _name: None)
        for cache in caches:
            cache.cache_clear()
        yield
    for cache in caches:
        cache.cache_clear()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(load_settings({}), DatabaseEnvironment(uri="mongodb://127.0.0.1/unused"))
    app.state.repository = None
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        yield http


@pytest.mark.usefixtures("without_pyarrow")
@pytest.mark.parametrize("accept", NEEDED)
async def test_a_format_that_needs_pyarrow_says_so(http: httpx.AsyncClient, accept: str) -> None:
    """Without pyarrow, a request for Parquet or Arrow, by Accept or `format`, gets 406 with what to install."""
    by_accept = await http.get("/transactions/1", headers={"Accept": accept})
    by_name = await http.get("/transactions/1?format=parquet")
    for answer in (by_accept, by_name):
        assert (answer.status_code, answer.json()["code"]) == (406, "NOT_ACCEPTABLE")
        assert "install the gateway with the extra export" in answer.json()["detail"]


@pytest.mark.usefixtures("without_pyarrow")
async def test_an_accept_of_others_does_not_speak_of_pyarrow(http: httpx.AsyncClient) -> None:
    """Without pyarrow, an unacceptable Accept gets the list of available types only."""
    detail = (await http.get("/transactions/1", headers={"Accept": "image/png"})).json()["detail"]
    assert detail.endswith("media types: application/json, application/x-ndjson, text/csv.")


def test_pyarrow_is_not_loaded_at_the_start() -> None:
    """The application starts without loading pyarrow, which takes a quarter of a second."""
    told = "import sys, gateway.app; print('pyarrow' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", told], text=True) == "False\n"


def test_only_windows_that_end_alike_share_a_reading() -> None:
    """Lists that end now share a reading; lists with a given end share one only with the same end."""

    def build_key(until: int, *, has_end: bool) -> object:
        wanted = TransactionFilter(since=until - 1_000, until=until)
        repository = cast("TransactionRepository", None)
        return ListRequest(repository, wanted, None, NDJSON, has_end).build_key()

    assert build_key(5_000, has_end=False) == build_key(5_001, has_end=False)
    assert build_key(5_000, has_end=True) == build_key(5_000, has_end=True)
    assert len({build_key(5_000, has_end=True), build_key(6_000, has_end=True), build_key(5_000, has_end=False)}) == 3


def test_a_list_without_a_window_is_a_fault() -> None:
    """A list without a window raises an error; it would otherwise be served as if nothing happened since 1970."""
    with pytest.raises(ValueError, match="needs a window"):
        ListRequest(cast("TransactionRepository", None), TransactionFilter(), None, NDJSON).build_key()
