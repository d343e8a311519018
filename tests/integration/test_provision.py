"""Provisioning is idempotent, and each user may do its work and nothing else."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pymongo.collection import Collection

from database.client import open_sync_client, translated_errors
from database.embedded import EmbeddedServer
from database.environment import Credentials, DatabaseEnvironment
from database.errors import ConfigurationError, DatabaseRefusedError
from database.index import COLLECTION, INDEXES
from database.provision import holds_transactions, provision, read_status
from tests.crashed import run_crashed_mongod

_Collection = Collection[dict[str, Any]]
_NAMES = tuple(index.name for index in INDEXES)


def test_provisioning_again_changes_nothing(environment: DatabaseEnvironment) -> None:
    """A second provisioning by the owner keeps the collection and every index."""
    report = provision(environment)

    assert not report.created_collection
    assert report.created_indexes == ()
    assert report.kept_indexes == _NAMES
    assert report.conflicts == ()


def test_owner_restores_a_dropped_index(environment: DatabaseEnvironment) -> None:
    """A dropped index is reported missing, and provisioning creates it and no other."""
    with open_sync_client(environment) as client:
        client[environment.database][COLLECTION].drop_index(_NAMES[2])

    assert read_status(environment).missing_indexes == (_NAMES[2],)
    assert provision(environment).created_indexes == (_NAMES[2],)
    assert read_status(environment).missing_indexes == ()


def test_collection_that_does_not_exist_is_created(mongod: EmbeddedServer) -> None:
    """Provisioning an empty database as administrator creates the collection and every index."""
    admin = replace(mongod.admin, database="test_fresh")
    try:
        assert read_status(admin).missing_indexes == _NAMES
        report = provision(admin)
        assert report.created_collection
        assert report.created_indexes == _NAMES
    finally:
        with open_sync_client(admin) as client:
            client.drop_database(admin.database)


def test_reader_provisions_only_what_is_complete(
    environment: DatabaseEnvironment, reader_environment: DatabaseEnvironment
) -> None:
    """Provisioning by a read-only user succeeds if nothing is missing, and is refused if an index is."""
    assert provision(reader_environment).kept_indexes == _NAMES

    with open_sync_client(environment) as client:
        client[environment.database][COLLECTION].drop_index(_NAMES[0])
    with pytest.raises(DatabaseRefusedError, match="does not permit"):
        provision(reader_environment)


def test_existing_user_gets_the_asked_password_and_role(
    mongod: EmbeddedServer, environment: DatabaseEnvironment
) -> None:
    """Provisioning an existing user replaces its password and removes every other role."""
    admin = replace(mongod.admin, database=environment.database)
    changed = Credentials("owner", "another password")
    with open_sync_client(admin) as client:
        client[admin.database].command("grantRolesToUser", "owner", roles=["dbAdmin"])

    provision(admin, owner=changed)

    status = read_status(admin.with_credentials(changed))
    assert status.roles == (f"transactionOwner@{environment.database}",)
    with pytest.raises(DatabaseRefusedError, match="credentials"):
        read_status(environment)


def test_administrator_of_one_database_provisions_again(
    mongod: EmbeddedServer, environment: DatabaseEnvironment
) -> None:
    """An administrator of only the application's database can provision its users again, with other passwords."""
    ann = Credentials("ann", "ann's password")
    with open_sync_client(replace(mongod.admin, database=environment.database)) as client:
        client[environment.database].command("createUser", ann.username, pwd=ann.password, roles=["dbOwner"])
    for password in ("first", "second"):
        users = {"owner": Credentials("new-owner", password), "reader": Credentials("new-reader", password)}
        assert provision(environment.with_credentials(ann), **users).users == ("new-owner", "new-reader")
        for user, role in zip(users.values(), ("transactionOwner", "transactionReader"), strict=True):
            assert read_status(environment.with_credentials(user)).roles == (f"{role}@{environment.database}",)


def test_role_is_brought_to_what_it_must_be(mongod: EmbeddedServer, environment: DatabaseEnvironment) -> None:
    """Provisioning takes surplus privileges and inherited roles from an existing role."""
    admin = replace(mongod.admin, database=environment.database)
    reader = Credentials("reader", "another password")
    with open_sync_client(admin) as client:
        database = client[admin.database]
        more = [{"resource": {"db": admin.database, "collection": ""}, "actions": ["insert"]}]
        provision(admin, reader=reader)
        expected = database.command("rolesInfo", "transactionReader", showPrivileges=True)["roles"]
        for command in ({"privileges": more}, {"roles": ["readWrite"]}):
            grant = "grantPrivilegesToRole" if "privileges" in command else "grantRolesToRole"
            database.command(grant, "transactionReader", **command)
            provision(admin, reader=reader)
            assert database.command("rolesInfo", "transactionReader", showPrivileges=True)["roles"] == expected


def test_administrator_is_not_made_an_owner(mongod: EmbeddedServer, environment: DatabaseEnvironment) -> None:
    """An administrator stored in the application's database cannot give its own name a lesser role."""
    ann = Credentials("ann", "ann's password")
    with open_sync_client(replace(mongod.admin, database=environment.database)) as client:
        roles = [{"role": "root", "db": "admin"}]
        client[environment.database].command("createUser", ann.username, pwd=ann.password, roles=roles)
    administrator = environment.with_credentials(ann)
    for users in ({"owner": ann}, {"reader": Credentials("ann", "another password")}):
        with pytest.raises(ConfigurationError, match="User 'ann' is the administrator"):
            provision(administrator, **users)
    assert read_status(administrator).roles == ("root@admin",)
    assert provision(administrator, owner=Credentials("bob", "bob's password")).users == ("bob",)


_WRITES: dict[str, Callable[[_Collection], object]] = {
    "insert": lambda collection: collection.insert_one({"_id": "a"}),
    "update": lambda collection: collection.update_one({}, {"$set": {"vendor": "x"}}, upsert=True),
    "delete": lambda collection: collection.delete_many({}),
    "drop": lambda collection: collection.drop(),
    "create an index": lambda collection: collection.create_index("vendor"),
    "drop an index": lambda collection: collection.drop_index("date_amount"),
    "write by aggregation": lambda collection: collection.aggregate([{"$out": "copy"}]),
}
_TRESPASSES: dict[str, Callable[[_Collection], object]] = {
    "read another collection": lambda collection: collection.database["other"].find_one(),
    "join another collection": lambda collection: list(
        collection.aggregate([{"$lookup": {"from": "other", "as": "o", "pipeline": []}}])
    ),
    "read another database": lambda collection: collection.database.client["test_other"][COLLECTION].find_one(),
    "create another collection": lambda collection: collection.database.create_collection("other", check_exists=False),
    "list the users": lambda collection: collection.database.command("usersInfo", 1),
    "list the databases": lambda collection: collection.database.client.admin.command("currentOp", allUsers=True),
    "read the server's status": lambda collection: collection.database.client.admin.command("serverStatus"),
    "change its own roles": lambda collection: collection.database.command(
        "grantRolesToUser", "reader", roles=["dbOwner"]
    ),
}


@pytest.mark.parametrize("deed", [*_WRITES, *_TRESPASSES])
def test_reader_is_refused_all_but_reading(reader_environment: DatabaseEnvironment, deed: str) -> None:
    """The reader may not write, and may read only the collection."""
    with open_sync_client(reader_environment) as client:
        collection = client[reader_environment.database][COLLECTION]
        with pytest.raises(DatabaseRefusedError, match="does not permit"), translated_errors():
            (_WRITES | _TRESPASSES)[deed](collection)


@pytest.mark.parametrize("deed", [name for name in _TRESPASSES if name != "change its own roles"])
def test_owner_is_refused_what_is_not_its_collection(environment: DatabaseEnvironment, deed: str) -> None:
    """The owner may access only the collection."""
    with open_sync_client(environment) as client:
        collection = client[environment.database][COLLECTION]
        with pytest.raises(DatabaseRefusedError, match="does not permit"), translated_errors():
            _TRESPASSES[deed](collection)


def test_owner_writes_and_reader_follows(
    environment: DatabaseEnvironment, reader_environment: DatabaseEnvironment
) -> None:
    """The owner inserts, updates and deletes; the reader counts, explains and sees each change in a stream."""
    with open_sync_client(environment) as owner, open_sync_client(reader_environment) as reader:
        written = owner[environment.database][COLLECTION]
        seen = reader[environment.database][COLLECTION]
        with seen.watch() as changes:
            written.insert_one({"_id": "a", "amount": 1.5})
            written.update_one({"_id": "a"}, {"$set": {"amount": 2.5}})
            assert seen.count_documents({}) == 1
            assert seen.find({"amount": 2.5}).explain()["executionStats"]["nReturned"] == 1
            written.delete_one({"_id": "a"})
            assert [changes.next()["operationType"] for _ in range(3)] == ["insert", "update", "delete"]


def test_status_tells_the_reader_what_it_may_see(
    environment: DatabaseEnvironment, reader_environment: DatabaseEnvironment
) -> None:
    """The reader's status shows the server, the user, every index and the document count."""
    with open_sync_client(environment) as client:
        client[environment.database][COLLECTION].insert_many({"_id": str(number)} for number in range(7))

    status = read_status(reader_environment)

    assert (status.user, status.documents, status.topology) == ("reader", 7, "replica set embedded")
    assert status.indexes is not None
    assert {index.name for index in status.indexes} == {"_id_", *_NAMES}
    assert status.missing_indexes == ()


def test_status_leaves_out_what_the_user_may_not_see(mongod: EmbeddedServer, environment: DatabaseEnvironment) -> None:
    """A user without roles gets the version, and None for everything about the collection."""
    admin = replace(mongod.admin, database=environment.database)
    nobody = Credentials("nobody", "nobody's password")
    with open_sync_client(admin) as client:
        client[admin.database].command("createUser", nobody.username, pwd=nobody.password, roles=[])

    status = read_status(environment.with_credentials(nobody))

    assert status.version == mongod.version
    assert (status.documents, status.data_size, status.indexes, status.missing_indexes) == (None, None, None, None)


def test_database_is_empty_until_it_holds_a_transaction(environment: DatabaseEnvironment) -> None:
    """A database holds transactions from its first document on."""
    assert not holds_transactions(environment)
    with open_sync_client(environment) as client:
        client[environment.database][COLLECTION].insert_one({"_id": "a"})
    assert holds_transactions(environment)


def test_crashed_database_is_not_empty(tmp_path: Path) -> None:
    """After a crash that leaves the metadata count at 0, the documents are still found."""
    with run_crashed_mongod(tmp_path) as address:
        crashed = DatabaseEnvironment(uri=f"mongodb://{address}/shop")
        assert read_status(crashed).documents == 0
        assert holds_transactions(crashed)


@pytest.mark.parametrize("deed", [provision, read_status, holds_transactions])
def test_view_is_called_a_view(
    mongod: EmbeddedServer, environment: DatabaseEnvironment, deed: Callable[[DatabaseEnvironment], object]
) -> None:
    """A view in place of the collection is refused as a view."""
    admin = replace(mongod.admin, database=environment.database)
    with open_sync_client(admin) as client:
        client[admin.database].drop_collection(COLLECTION)
        client[admin.database].command("create", COLLECTION, viewOn="purchases", pipeline=[])
    with pytest.raises(DatabaseRefusedError, match="has a view by the name 'transaction'"):
        deed(admin)


def test_what_every_question_would_meet_is_found_by_looking(
    mongod: EmbeddedServer, environment: DatabaseEnvironment
) -> None:
    """A user without rights, and an option unknown to the server, are detected before any query is sent."""
    nobody = Credentials("nobody", "nobody's password")
    with open_sync_client(replace(mongod.admin, database=environment.database)) as client:
        client[environment.database].command("createUser", nobody.username, pwd=nobody.password, roles=[])
    with pytest.raises(DatabaseRefusedError, match="does not permit"):
        holds_transactions(environment.with_credentials(nobody))
    with pytest.raises(DatabaseRefusedError, match=r"answered with an error \(code \d+"):
        holds_transactions(DatabaseEnvironment(uri=f"{environment.connection_uri}&readConcernLevel=bogus"))
