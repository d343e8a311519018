"""The programs of examples/, run as their READMEs say, against a gateway with generated transactions."""

import csv
import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

import polars as pl
import pytest

from schema.context import read_clock_ms
from seeding.document import build_documents
from seeding.pool import build_pools
from tests.conftest import ServedDatabase
from tests.node import NodeFolder, install_packages
from tests.reference import KEYS, Document, Question, select
from tests.waiting import wait_until

# The one example whose program comes with the operating system.
CURL = pytest.param("curl", marks=pytest.mark.skipif(not shutil.which("curl"), reason="this system has no curl"))

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
BIN = ROOT / ".venv-examples/bin"
NOW_MS = read_clock_ms()
HOUR_MS = 3_600_000
Command: TypeAlias = Sequence[str | Path]
DAY_MS = 24 * HOUR_MS
# None on the last day of the 90 that the examples request: the window moves on while the tests run.
FAKED: list[Document] = [
    document
    for document in build_documents(7, 0, 4_000, build_pools(7), NOW_MS - HOUR_MS)
    if not 0 <= document["date"] - (NOW_MS - 90 * DAY_MS) < DAY_MS
]
COUNTRY = "US"
LIVE_COUNTRY = "NZ"


@pytest.fixture(scope="module")
def documents(served: ServedDatabase) -> list[Document]:
    """The documents that the gateway serves: enough of one country for several pages."""
    served.collection.delete_many({})
    served.collection.insert_many([{**document} for document in FAKED])
    return FAKED


@pytest.fixture(scope="module")
def expected(documents: list[Document]) -> list[Document]:
    """The documents that the examples request, newest first."""
    expected = select(documents, Question(days=90, country=COUNTRY), NOW_MS)
    assert len(expected) > 100
    return expected


@pytest.fixture
def python_folder(tmp_path: Path) -> Path:
    """A copy of examples/python with its generated client, placed so that it finds the schema as the original does."""
    folder = tmp_path / "examples/python"
    shutil.copytree(EXAMPLES / "python", folder, ignore=shutil.ignore_patterns("transactions_client", "__pycache__"))
    (tmp_path / "schema").symlink_to(ROOT / "schema")
    run(BIN / "ariadne-codegen", folder=folder)
    return folder


@pytest.fixture(scope="module")
def typescript_folder() -> NodeFolder:
    """examples/typescript with its generated types, compiled under the strict rules of its tsconfig.json."""
    folder = install_packages(EXAMPLES / "typescript")
    for command in (["graphql-codegen", "--config", "codegen.yml"], ["tsc"]):
        done = folder.run_package(*command)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder


def run(*command: str | Path, folder: Path, **variables: str) -> str:
    """Return what a program prints; asserts that it succeeds."""
    environment = {**os.environ, "PATH": os.pathsep.join([str(BIN), os.environ["PATH"]]), **variables}
    done = subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def add_up(rows: list[Document]) -> dict[str, Decimal]:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[row["currency"]] += Decimal(repr(row["amount"]))
    return sums


def report(rows: list[Document]) -> list[str]:
    """Return what the programs print for rows that are newest first."""
    lines = [f"{len(rows)} transactions"]
    for row in rows[:3]:
        day = datetime.fromtimestamp(row["date"] / 1000, UTC).date()
        lines.append(f"{day} {row['amount']} {row['currency']} {row['cardNumber']} {row['vendor']}")
    return lines


def read_sums(lines: list[str]) -> dict[str, Decimal]:
    """Parse the lines that give the sum of each currency; as Decimals, so that trailing zeros do not matter."""
    assert all(line.endswith(" in all") for line in lines)
    return {line.split()[1]: Decimal(line.split()[0]) for line in lines}


def check_report(printed: str, expected: list[Document]) -> None:
    lines = printed.splitlines()
    assert lines[:4] == report(expected)
    assert read_sums(lines[4:]) == add_up(expected)


def test_the_python_client_is_generated_and_tells_the_reference(
    served: ServedDatabase, expected: list[Document], python_folder: Path
) -> None:
    """The client that ariadne-codegen generates from the schema reads all pages, and its amounts add up exactly."""
    check_report(
        run(BIN / "python", "main.py", f"{served.gateway.url}/graphql", COUNTRY, folder=python_folder), expected
    )


def test_the_python_example_is_typed(python_folder: Path) -> None:
    """The programs type-check against the generated client under mypy's strict rules."""
    mypy = Path(sys.executable).with_name("mypy")
    options = ["--strict", "--follow-imports=silent", "--python-executable", str(BIN / "python")]
    run(mypy, *options, "main.py", "live.py", folder=python_folder)


def test_gql_tells_the_reference(served: ServedDatabase, expected: list[Document]) -> None:
    """The gql client prints the same without generated code."""
    check_report(
        run(BIN / "python", "main.py", f"{served.gateway.url}/graphql", COUNTRY, folder=EXAMPLES / "gql"), expected
    )


def test_the_typescript_client_tells_the_reference(
    served: ServedDatabase, expected: list[Document], typescript_folder: NodeFolder
) -> None:
    """The program, typed by what graphql-codegen generates from the schema, prints the same."""
    done = typescript_folder.run("dist/main.js", f"{served.gateway.url}/graphql", COUNTRY)
    assert done.returncode == 0, done.stderr
    check_report(done.stdout, expected)


def csv_rows(table: str) -> list[dict[str, str]]:
    return list(csv.DictReader(table.splitlines(keepends=True)))


def check_answers(
    count: Any, newest: list[Any], table: str, summary: Any, graphql: Any, documents: list[Document]
) -> None:
    """Check the five responses of the examples that are no programs against the reference."""
    expected = select(documents, Question(days=90, country=COUNTRY), NOW_MS)
    assert count == {"count": len(select(documents, Question(days=90, card_type="Visa"), NOW_MS))}
    assert newest == expected[:3]
    assert csv_rows(table) == [{key: str(row[key]) for key in KEYS} for row in expected]
    sums = add_up(expected)
    assert {each["currency"]: Decimal(str(each["amounts"][0]["sum"])) for each in summary["groups"]} == sums
    assert graphql["data"]["transactions"]["totalCount"] == len(expected)
    assert graphql["data"]["transactions"]["nodes"] == [
        {"amount": repr(row["amount"]), "currency": row["currency"], "vendor": row["vendor"]} for row in expected[:3]
    ]


@pytest.mark.parametrize("tool", [CURL, "httpie"])
def test_the_scripts_tell_the_reference(
    served: ServedDatabase, documents: list[Document], tool: str, tmp_path: Path
) -> None:
    """Each response a shell script prints, and the file it writes, match the reference."""
    script = EXAMPLES / tool / "transactions.sh"
    printed = run("sh", script, served.gateway.url, COUNTRY, folder=tmp_path)
    count, *newest, summary, graphql = [json.loads(line) for line in printed.splitlines() if line]
    table = (tmp_path / "transactions.csv").read_bytes().decode()
    check_answers(count, newest, table, summary, graphql, documents)
    if tool == "curl":
        (file,) = tmp_path.glob("*.parquet")
        assert pl.read_parquet(file)["_id"].to_list() == [row["_id"] for row in csv_rows(table)]


def test_the_collection_tells_the_reference(served: ServedDatabase, documents: list[Document], tmp_path: Path) -> None:
    """Newman runs the collection, whose own tests pass, and each response matches the reference."""
    told = tmp_path / "told.json"
    options = ["--env-var", f"baseUrl={served.gateway.url}", "--env-var", f"country={COUNTRY}"]
    options += ["--reporters", "json", "--reporter-json-export", str(told)]
    done = install_packages(EXAMPLES / "postman").run_package(
        "newman", "run", "transactions.postman_collection.json", *options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    bodies = [
        bytes(execution["response"]["stream"]["data"]).decode()
        for execution in json.loads(told.read_text())["run"]["executions"]
    ]
    count, newest, table, summary, graphql = bodies
    check_answers(json.loads(count), json.loads(newest), table, json.loads(summary), json.loads(graphql), documents)


def add(served: ServedDatabase, added: list[Document]) -> None:
    """Add a transaction with a country and card type that no other test here reads."""
    document = {**FAKED[len(added) % len(FAKED)], "_id": str(uuid4()), "date": read_clock_ms()}
    document |= {"countryOrigin": LIVE_COUNTRY, "cardType": "Amex"}
    served.collection.insert_one({**document})
    added.append(document)


@contextmanager
def started(command: Command, folder: Path, told: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A running program whose output goes to a file."""
    environment = {**os.environ, "PATH": os.pathsep.join([str(BIN), os.environ["PATH"]])}
    with (
        told.open("wb") as output,
        subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()


def check_live(served: ServedDatabase, told: Path, command: Command, folder: Path) -> None:
    """Check that a program prints three transactions added while it runs, in order, and ends."""
    added: list[Document] = []
    with started([*command, LIVE_COUNTRY, "3"], folder, told) as process:

        def has_ended() -> bool:
            add(served, added)
            return process.poll() is not None

        wait_until(has_ended, "the example to end")
    lines = told.read_text().splitlines()
    assert process.returncode == 0, lines
    known = [f"{row['_id']} {row['amount']} {row['currency']} {row['vendor']}" for row in added]
    begin = known.index(lines[0])
    assert lines == known[begin : begin + 3]


def test_the_python_client_tells_what_is_added(served: ServedDatabase, python_folder: Path, tmp_path: Path) -> None:
    """The generated client's subscription receives added transactions over WebSocket."""
    url = served.gateway.url.replace("http", "ws") + "/graphql"
    check_live(served, tmp_path / "told", [BIN / "python", "live.py", url], python_folder)


def test_the_typescript_client_tells_what_is_added(
    served: ServedDatabase, typescript_folder: NodeFolder, tmp_path: Path
) -> None:
    """The typed subscription receives added transactions over Server-Sent Events."""
    command: Command = [typescript_folder.node, "dist/live.js", f"{served.gateway.url}/graphql"]
    check_live(served, tmp_path / "told", command, typescript_folder.path)


def test_gql_tells_sums_as_they_change(served: ServedDatabase, tmp_path: Path) -> None:
    """The first line has the reference's sums, the second those that include the transaction added meanwhile."""
    url, told = served.gateway.url.replace("http", "ws") + "/graphql", tmp_path / "told"
    asked = Question(days=1, country=LIVE_COUNTRY)
    before = add_up(select(served.collection.find(), asked, read_clock_ms()))
    added: list[Document] = []
    with started([BIN / "python", "live.py", url, LIVE_COUNTRY, "2"], EXAMPLES / "gql", told) as process:
        wait_until(lambda: told.read_bytes() or process.poll() is not None, "the first sums")
        add(served, added)
        wait_until(lambda: process.poll() is not None, "the sums to change")
    after = add_up(select(served.collection.find(), asked, read_clock_ms()))
    lines = told.read_text().splitlines()
    assert process.returncode == 0, lines
    seen = [{part.split()[1]: Decimal(part.split()[0]) for part in line.split(", ") if part} for line in lines]
    assert seen == [before, after]


@pytest.mark.parametrize("tool", [CURL, "httpie"])
def test_the_scripts_tell_what_is_added(served: ServedDatabase, tool: str, tmp_path: Path) -> None:
    """A script prints each added transaction as an event whose data is its row."""
    told, added = tmp_path / "told", list[Document]()

    def read_rows() -> list[Document]:
        events = told.read_text().split("\n\n")[:-1]
        lines = [line for event in events for line in event.splitlines()]
        return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]

    def has_told() -> bool:
        add(served, added)
        assert process.poll() is None, told.read_text()
        return bool(read_rows())

    script = EXAMPLES / tool / "live.sh"
    with started(["sh", script, served.gateway.url, LIVE_COUNTRY], tmp_path, told) as process:
        wait_until(has_told, "an event")
        rows = read_rows()
    known = select(added, Question(), NOW_MS)[::-1]
    begin = [row["_id"] for row in known].index(rows[0]["_id"])
    assert rows == known[begin : begin + len(rows)]
