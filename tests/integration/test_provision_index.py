"""Indexes created by others are kept: each serves as a declared one, coexists with it, or is reported as a conflict."""

from dataclasses import replace
from typing import Any

import pytest

from database.client import open_sync_client
from database.embedded import EmbeddedServer
from database.environment import DatabaseEnvironment
from database.index import CASE_INSENSITIVE, COLLECTION, INDEXES
from database.provision import provision, read_status

_NAMES = tuple(index.name for index in INDEXES)


@pytest.mark.parametrize(
    ("keys", "options"),
    [
        ([("date", -1), ("_id", -1), ("amount", 1)], {"name": "date_amount", "sparse": True}),
        ([("date", -1), ("_id", -1), ("amount", 1)], {"name": "theirs", "hidden": True}),
        ([("vendor", 1)], {"name": "date_amount"}),
    ],
)
def test_index_with_other_options_is_reported_and_kept(
    environment: DatabaseEnvironment, keys: list[tuple[str, int]], options: dict[str, Any]
) -> None:
    """An index in conflict with a declared one is reported with the remedy and kept; the others are created."""
    with open_sync_client(environment) as client:
        collection = client[environment.database][COLLECTION]
        collection.drop_indexes()
        collection.create_index(keys, **options)
        report = provision(environment)
        names = set(collection.index_information())

    (conflict,) = report.conflicts
    assert f"dropIndex('{options['name']}')" in conflict
    assert report.created_indexes == _NAMES[1:]
    assert names == {"_id_", options["name"], *_NAMES[1:]}
    assert read_status(environment).missing_indexes == ("date_amount",)


def test_same_index_by_another_name_serves(environment: DatabaseEnvironment) -> None:
    """An index with another name but the declared keys and collation is kept in place of the declared one."""
    wanted = INDEXES[2]
    with open_sync_client(environment) as client:
        collection = client[environment.database][COLLECTION]
        collection.drop_index(wanted.name)
        collection.create_index(list(wanted.keys), **(wanted.options | {"name": "theirs"}))

    report = provision(environment)
    assert (report.created_indexes, report.conflicts) == ((), ())


@pytest.mark.parametrize("options", [{"sparse": True}, {"partialFilterExpression": {"amount": 1}}])
def test_index_of_a_part_of_the_documents_is_no_conflict(
    environment: DatabaseEnvironment, options: dict[str, Any]
) -> None:
    """Beside a sparse or partial index with the declared keys, the declared index is created."""
    wanted = INDEXES[0]
    with open_sync_client(environment) as client:
        collection = client[environment.database][COLLECTION]
        collection.drop_index(wanted.name)
        collection.create_index(list(wanted.keys), name="theirs", **options)
        report = provision(environment)
        assert (report.created_indexes, report.conflicts) == ((wanted.name,), ())
        assert set(collection.index_information()) == {"_id_", "theirs", *_NAMES}


@pytest.mark.parametrize("option", [{"numericOrdering": True}, {"alternate": "shifted"}, {"backwards": True}])
def test_index_of_another_collation_does_not_serve(environment: DatabaseEnvironment, option: dict[str, Any]) -> None:
    """An index whose collation differs in any option is not used by queries; the declared one is created beside it."""
    wanted = INDEXES[3]
    with open_sync_client(environment) as client:
        collection = client[environment.database][COLLECTION]
        collection.drop_index(wanted.name)
        collection.create_index(list(wanted.keys), name="theirs", collation=CASE_INSENSITIVE | option)
        question = collection.find({"countryOrigin": "us"}, collation=CASE_INSENSITIVE)
        assert "COLLSCAN" in str(question.clone().explain()["queryPlanner"]["winningPlan"])
        assert read_status(environment).missing_indexes == (wanted.name,)
        report = provision(environment)
        assert (report.created_indexes, report.conflicts) == ((wanted.name,), ())
        assert wanted.name in str(question.explain()["queryPlanner"]["winningPlan"])


@pytest.mark.parametrize("collation", [{"locale": "fr"}, CASE_INSENSITIVE])
def test_collation_of_the_collection_is_that_of_its_indexes(
    mongod: EmbeddedServer, environment: DatabaseEnvironment, collation: dict[str, Any]
) -> None:
    """In a collection with its own collation the declared indexes are created once and found afterwards."""
    with open_sync_client(replace(mongod.admin, database=environment.database)) as client:
        database = client[environment.database]
        database.drop_collection(COLLECTION)
        database.create_collection(COLLECTION, collation=collation)

    assert provision(environment).created_indexes == _NAMES
    again = provision(environment)
    assert (again.kept_indexes, again.conflicts) == (_NAMES, ())
    assert read_status(environment).missing_indexes == ()
