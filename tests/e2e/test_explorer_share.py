"""What the explorer exports: queries as texts that run unchanged, and rows as files."""

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
from playwright.sync_api import Page, expect

from tests.conftest import ServedDatabase
from tests.explorer import read_total
from tests.reference import Document, Question, select
from tests.stage import NOW_MS, open_explorer

LINKS = [
    ("?days=30&card=Visa&country=DE&min=10&max=200", Question(30, "Visa", "DE", "10", "200")),
    ("?days=all&card=maestro&order=amount-desc", Question(card_type="Maestro", order="AMOUNT_DESC")),
]


def copy(page: Page, name: str) -> str:
    """Press a copy button and return the clipboard's content."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("group", name="Copy this query as").get_by_role("button", name=name, exact=True).click()
    expect(page.get_by_text(f"{name} copied")).to_be_visible()
    return str(page.evaluate("navigator.clipboard.readText()"))


@pytest.mark.parametrize(("link", "question"), LINKS)
@pytest.mark.skipif(not shutil.which("curl"), reason="this system has no curl")
def test_each_copied_question_gives_the_answer_of_the_page(
    visitor: Page, still: ServedDatabase, documents: Sequence[Document], link: str, question: Question
) -> None:
    """The copied GraphQL, shell command and Python program return the rows that the page counts."""
    identifiers = [document["_id"] for document in select(documents, question, NOW_MS)]
    open_explorer(visitor, still.gateway.url, link)
    assert read_total(visitor) == len(identifiers)

    query = {"query": copy(visitor, "GraphQL")}
    posted = httpx.post(f"{still.gateway.url}/graphql", json=query).raise_for_status().json()["data"]["transactions"]
    assert posted["totalCount"] == len(identifiers)
    assert [node["id"] for node in posted["nodes"]] == identifiers[:100]

    answer = json.loads(run("sh", "-c", copy(visitor, "curl")))
    if isinstance(answer, list):
        assert [row["_id"] for row in answer] == identifiers
    else:
        found = answer["data"]["transactions"]
        assert found["totalCount"] == len(identifiers)
        assert [node["id"] for node in found["nodes"]] == identifiers[:100]

    lines = run(sys.executable, "-c", copy(visitor, "Python")).splitlines()
    assert [json.loads(line)["id"] for line in lines] == identifiers

    assert copy(visitor, "Link") == visitor.url


@pytest.mark.parametrize("is_refused", [False, True], ids=["clipboard", "no clipboard"])
def test_a_command_that_asks_for_one_page_is_told_to(visitor: Page, still: ServedDatabase, *, is_refused: bool) -> None:
    """A curl copied in an order other than newest first comes with a note that it returns the first 100 rows."""
    open_explorer(visitor, still.gateway.url, LINKS[1][0])
    if is_refused:
        visitor.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('refused')); }")
        visitor.get_by_role("button", name="curl", exact=True).click()
    else:
        copy(visitor, "curl")
    expect(visitor.get_by_text("It requests the first 100 rows.")).to_be_visible()


def run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def read_json(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(path.read_text())
    return rows


def read_ndjson(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def read_csv(path: Path) -> list[dict[str, Any]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("name", "ending", "read"),
    [
        ("CSV", ".csv", read_csv),
        ("NDJSON", ".ndjson", read_ndjson),
        ("JSON", ".json", read_json),
        ("Parquet", ".parquet", lambda path: pl.read_parquet(path).to_dicts()),
        ("Arrow", ".arrows", lambda path: pl.read_ipc_stream(path).to_dicts()),
    ],
)
def test_each_export_has_the_rows_of_the_question(
    visitor: Page,
    still: ServedDatabase,
    documents: Sequence[Document],
    name: str,
    ending: str,
    read: Callable[[Path], list[dict[str, Any]]],
) -> None:
    """A click downloads a file of that format with all rows, newest first."""
    link, question = LINKS[0]
    open_explorer(visitor, still.gateway.url, link)
    group = visitor.get_by_role("group", name="Export all rows as")
    with visitor.expect_download() as download:
        group.get_by_role("link", name=name, exact=True).click()
    assert download.value.suggested_filename.endswith(ending)
    rows = read(download.value.path())
    assert [row["_id"] for row in rows] == [document["_id"] for document in select(documents, question, NOW_MS)]
