"""The programs of examples/, run as their README says, against a gateway with Faker's transactions."""

import csv
import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from schema.context import read_clock_ms
from seeding.document import build_documents
from seeding.pool import build_pools
from tests.conftest import ServedDatabase
from tests.node import NodeFolder, install_packages
from tests.reference import KEYS, Document, Question, select

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
BIN = ROOT / ".venv-examples/bin"
NOW_MS = read_clock_ms()
HOUR_MS = 3_600_000
COUNTRY = "US"


@pytest.fixture(scope="module")
def documents(served: ServedDatabase) -> list[Document]:
    """What the gateway serves: enough of one country for several pages."""
    documents: list[Document] = build_documents(7, 0, 4_000, build_pools(7), NOW_MS - HOUR_MS)
    served.collection.delete_many({})
    served.collection.insert_many([{**document} for document in documents])
    return documents


@pytest.fixture(scope="module")
def expected(documents: list[Document]) -> list[Document]:
    """What the examples ask for, newest first."""
    expected = select(documents, Question(days=90, country=COUNTRY), NOW_MS)
    assert len(expected) > 100
    return expected


@pytest.fixture
def python_folder(tmp_path: Path) -> Path:
    """examples/python with its generated client, at a place from which it sees the schema as from its own."""
    folder = tmp_path / "examples/python"
    shutil.copytree(EXAMPLES / "python", folder, ignore=shutil.ignore_patterns("transactions_client", "__pycache__"))
    (tmp_path / "schema").symlink_to(ROOT / "schema")
    run(BIN / "ariadne-codegen", folder=folder)
    return folder


@pytest.fixture(scope="module")
def typescript_folder() -> NodeFolder:
    return install_packages(EXAMPLES / "typescript")


def run(*command: str | Path, folder: Path, **variables: str) -> str:
    """Give what a program prints; it must succeed."""
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
    """What the programs print of rows that are newest first."""
    lines = [f"{len(rows)} transactions"]
    for row in rows[:3]:
        day = datetime.fromtimestamp(row["date"] / 1000, UTC).date()
        lines.append(f"{day} {row['amount']} {row['currency']} {row['cardNumber']} {row['vendor']}")
    return lines


def read_sums(lines: list[str]) -> dict[str, Decimal]:
    """Read the lines that tell the sum of each currency; their zeros at the end do not count."""
    assert all(line.endswith(" in all") for line in lines)
    return {line.split()[1]: Decimal(line.split()[0]) for line in lines}


def check_report(printed: str, expected: list[Document]) -> None:
    lines = printed.splitlines()
    assert lines[:4] == report(expected)
    assert read_sums(lines[4:]) == add_up(expected)


def test_the_python_client_is_generated_and_tells_the_reference(
    served: ServedDatabase, expected: list[Document], python_folder: Path
) -> None:
    """The client that ariadne-codegen writes from the schema reads all pages, and its amounts add up exactly."""
    check_report(
        run(BIN / "python", "main.py", f"{served.gateway.url}/graphql", COUNTRY, folder=python_folder), expected
    )


def test_the_python_example_is_typed(python_folder: Path) -> None:
    """The program agrees with the types of the generated client, under mypy's strict rules."""
    mypy = Path(sys.executable).with_name("mypy")
    options = ["--strict", "--follow-imports=silent", "--python-executable", str(BIN / "python")]
    run(mypy, *options, "main.py", folder=python_folder)


def test_gql_tells_the_reference(served: ServedDatabase, expected: list[Document]) -> None:
    """The gql client tells the same without generated code."""
    check_report(
        run(BIN / "python", "main.py", f"{served.gateway.url}/graphql", COUNTRY, folder=EXAMPLES / "gql"), expected
    )


def test_the_typescript_client_is_generated_compiles_and_tells_the_reference(
    served: ServedDatabase, expected: list[Document], typescript_folder: NodeFolder
) -> None:
    """The types that graphql-codegen writes from the schema fit the program, strictly, and it tells the same."""
    for command in (["graphql-codegen", "--config", "codegen.yml"], ["tsc"]):
        done = typescript_folder.run_package(*command)
        assert done.returncode == 0, done.stdout + done.stderr
    done = typescript_folder.run("dist/main.js", f"{served.gateway.url}/graphql", COUNTRY)
    assert done.returncode == 0, done.stderr
    check_report(done.stdout, expected)


def check_answers(
    count: Any, newest: list[Any], table: str, summary: Any, graphql: Any, documents: list[Document]
) -> None:
    """The five answers of the examples without a program."""
    expected = select(documents, Question(days=90, country=COUNTRY), NOW_MS)
    assert count == {"count": len(select(documents, Question(days=90, card_type="Visa"), NOW_MS))}
    assert newest == expected[:3]
    rows = list(csv.DictReader(table.splitlines(keepends=True)))
    assert rows == [{key: str(row[key]) for key in KEYS} for row in expected]
    sums = add_up(expected)
    assert {each["currency"]: Decimal(str(each["amounts"][0]["sum"])) for each in summary["groups"]} == sums
    assert graphql["data"]["transactions"]["totalCount"] == len(expected)
    assert graphql["data"]["transactions"]["nodes"] == [
        {"amount": repr(row["amount"]), "currency": row["currency"], "vendor": row["vendor"]} for row in expected[:3]
    ]


@pytest.mark.parametrize("tool", ["curl", "httpie"])
def test_the_scripts_tell_the_reference(
    served: ServedDatabase, documents: list[Document], tool: str, tmp_path: Path
) -> None:
    """Each answer of a shell script, and the file that it leaves, is the reference's."""
    script = EXAMPLES / tool / "transactions.sh"
    printed = run("sh", script, served.gateway.url, COUNTRY, folder=tmp_path)
    count, *newest, summary, graphql = [json.loads(line) for line in printed.splitlines() if line]
    table = (tmp_path / "transactions.csv").read_bytes().decode()
    check_answers(count, newest, table, summary, graphql, documents)


def test_the_collection_tells_the_reference(served: ServedDatabase, documents: list[Document], tmp_path: Path) -> None:
    """Newman runs the collection, whose own tests pass, and each answer is the reference's."""
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
