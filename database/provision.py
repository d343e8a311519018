"""Provision a database idempotently: the collection, its indexes, and users with least privilege.

It never drops data or an index, and never seeds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import CollectionInvalid, OperationFailure

from database.client import open_sync_client, translated_errors
from database.environment import Credentials, DatabaseEnvironment
from database.errors import ConfigurationError
from database.index import CASE_INSENSITIVE, COLLECTION, INDEXES, find_conflict, is_served

_Database = Database[dict[str, Any]]

OWNER_ROLE = "transactionOwner"
READER_ROLE = "transactionReader"
READER_ACTIONS = ("find", "listIndexes", "collStats", "changeStream")
OWNER_ACTIONS = (
    *READER_ACTIONS,
    "insert",
    "update",
    "remove",
    "createCollection",
    "createIndex",
    "dropIndex",
    "collMod",
)

_UNAUTHORIZED = 13
_NO_SUCH_COLLECTION = 26
_NAMESPACE_EXISTS = 48


@dataclass(frozen=True, slots=True)
class ProvisionReport:
    """What `provision` did, and what is left to a person.

    Attributes:
        created_indexes, kept_indexes: names, in the order of declaration.
        keeps_history: whether the server was set to keep pre- and post-images of changed documents, for which a
            read-only user has no privilege.
        conflicts: one message for each index that exists with other options, with what to do.
        users: the names of the users whose role and password were set.
    """

    created_collection: bool
    created_indexes: tuple[str, ...]
    kept_indexes: tuple[str, ...]
    keeps_history: bool
    conflicts: tuple[str, ...]
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """One index of the collection; `size` is in bytes, or None if the user may not see it."""

    name: str
    size: int | None


@dataclass(frozen=True, slots=True)
class DatabaseStatus:
    """What a server reports about itself and the collection; sizes in bytes, None for what the user may not see.

    Attributes:
        topology: "replica set NAME", "sharded cluster" or "single server".
        roles: each as "role@database".
        documents: from the collection's statistics; exact except after a crash.
        missing_indexes: the names of declared indexes that do not exist.
    """

    version: str
    topology: str
    user: str | None
    roles: tuple[str, ...]
    documents: int | None
    data_size: int | None
    storage_size: int | None
    index_size: int | None
    indexes: tuple[IndexStatus, ...] | None
    missing_indexes: tuple[str, ...] | None


def provision(
    environment: DatabaseEnvironment, *, owner: Credentials | None = None, reader: Credentials | None = None
) -> ProvisionReport:
    """Create what is missing of the collection and its indexes, and set the roles and passwords of the given users.

    With `owner` or `reader`, `environment` must be an administrator's; the users are stored in its `database`.

    Raises:
        ConfigurationError: a given user is the administrator, who would lose every other role.
        DatabaseError: the server does not answer, or does not permit it.
    """
    with translated_errors(environment.address), open_sync_client(environment) as client:
        database = client[environment.database]
        if owner or reader:
            _keep_administrator(database, frozenset(user.username for user in (owner, reader) if user))
        users = []
        for credentials, role, actions in ((owner, OWNER_ROLE, OWNER_ACTIONS), (reader, READER_ROLE, READER_ACTIONS)):
            if credentials:
                _put_role(database, role, actions)
                _put_user(database, credentials, role)
                users.append(credentials.username)
        existing = _read_indexes(database)
        # Only if necessary, so that a read-only user can provision a complete database.
        created_collection = not existing and _create_collection(database)
        keeps_history = _keep_history(database)
        missing = [index for index in INDEXES if not is_served(index, existing)]
        conflicts = {index.name: conflict for index in missing if (conflict := find_conflict(index, existing))}
        creatable = [index for index in missing if index.name not in conflicts]
        for index in creatable:
            database[COLLECTION].create_index(list(index.keys), **index.options)
    return ProvisionReport(
        created_collection=created_collection,
        created_indexes=tuple(index.name for index in creatable),
        kept_indexes=tuple(index.name for index in INDEXES if index not in missing),
        keeps_history=keeps_history,
        conflicts=tuple(conflicts.values()),
        users=tuple(users),
    )


def holds_transactions(environment: DatabaseEnvironment) -> bool:
    """Return whether the collection holds a document, by a query: its statistics may report 0 after a crash.

    The query has the gateway's form, so that a server that would refuse every request refuses this one too.

    Raises:
        DatabaseError: the server does not answer, or does not permit it.
    """
    with translated_errors(environment.address), open_sync_client(environment) as client:
        return client[environment.database][COLLECTION].find_one({}, {"_id": 1}, collation=CASE_INSENSITIVE) is not None


def read_status(environment: DatabaseEnvironment) -> DatabaseStatus:
    """Read what the server reports about itself and the collection, as far as the user may see it.

    Raises:
        DatabaseError: the server does not answer, or refuses the credentials.
    """
    with translated_errors(environment.address), open_sync_client(environment) as client:
        identity = client.admin.command("connectionStatus")["authInfo"]
        statistics = _read_statistics(client[environment.database])
        index_sizes: Mapping[str, int] = statistics.get("indexSizes", {})
        existing = _read_indexes_if_permitted(client[environment.database])
        return DatabaseStatus(
            version=str(client.server_info()["version"]),
            topology=_read_topology(client),
            user=next((str(user["user"]) for user in identity["authenticatedUsers"]), None),
            roles=tuple(f"{role['role']}@{role['db']}" for role in identity["authenticatedUserRoles"]),
            documents=statistics.get("count"),
            data_size=statistics.get("size"),
            storage_size=statistics.get("storageSize"),
            index_size=statistics.get("totalIndexSize"),
            indexes=None
            if existing is None
            else tuple(IndexStatus(str(index["name"]), index_sizes.get(index["name"])) for index in existing),
            missing_indexes=None
            if existing is None
            else tuple(index.name for index in INDEXES if not is_served(index, existing)),
        )


def drop_other_users(environment: DatabaseEnvironment, role: str, keep: str) -> None:
    """Drop the users of the environment's database that hold `role`, except `keep`; needs an administrator.

    Raises:
        DatabaseError: the server does not answer, or does not permit it.
    """
    with translated_errors(environment.address), open_sync_client(environment) as client:
        database = client[environment.database]
        for user in database.command("usersInfo", 1)["users"]:
            held = {(entry["role"], entry["db"]) for entry in user["roles"]}
            if (role, database.name) in held and user["user"] != keep:
                database.command("dropUser", user["user"])


def _keep_administrator(database: _Database, names: frozenset[str]) -> None:
    for user in database.command("connectionStatus")["authInfo"]["authenticatedUsers"]:
        if user["db"] == database.name and user["user"] in names:
            raise ConfigurationError(
                f"User {user['user']!r} is the administrator who provisions, and would lose every other role: choose"
                " another name for the owner or reader."
            )


def _put_role(database: _Database, role: str, actions: Sequence[str]) -> None:
    privileges: list[Mapping[str, Any]] = [
        {"resource": {"db": database.name, "collection": COLLECTION}, "actions": list(actions)},
        {"resource": {"db": database.name, "collection": ""}, "actions": ["dbStats"]},
    ]
    existing = database.command("rolesInfo", role, showPrivileges=True)["roles"]
    # An update needs the right to revoke roles in all databases, which an administrator of one database lacks.
    if existing and _sort(existing[0]["inheritedPrivileges"]) == _sort(privileges):
        return
    database.command("updateRole" if existing else "createRole", role, privileges=privileges, roles=[])


def _sort(privileges: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    return sorted((repr(privilege["resource"]), sorted(privilege["actions"])) for privilege in privileges)


def _put_user(database: _Database, credentials: Credentials, role: str) -> None:
    roles = [{"role": role, "db": database.name}]
    existing = database.command("usersInfo", credentials.username)["users"]
    # Left out if unchanged, for the reason given in `_put_role`.
    changed: dict[str, Any] = {} if existing and existing[0]["roles"] == roles else {"roles": roles}
    database.command(
        "updateUser" if existing else "createUser",
        credentials.username,
        pwd=credentials.password,
        mechanisms=["SCRAM-SHA-256"],
        **changed,
    )


def _create_collection(database: _Database) -> bool:
    """Create the collection; return False if another process did so first."""
    try:
        # The driver's own check lists all collections, which the owner role does not permit.
        database.create_collection(COLLECTION, check_exists=False)
    except CollectionInvalid:
        return False
    except OperationFailure as error:
        if error.code != _NAMESPACE_EXISTS:
            raise
        return False
    return True


def _keep_history(database: _Database) -> bool:
    """Enable pre- and post-images if the user may; not every user may read whether they are enabled already."""
    try:
        database.command("collMod", COLLECTION, changeStreamPreAndPostImages={"enabled": True})
    except OperationFailure as error:
        if error.code != _UNAUTHORIZED:
            raise
        return False
    return True


def _read_indexes(database: _Database) -> list[dict[str, Any]]:
    try:
        return [dict(index) for index in database[COLLECTION].list_indexes()]
    except OperationFailure as error:
        if error.code != _NO_SUCH_COLLECTION:
            raise
        return []


def _read_indexes_if_permitted(database: _Database) -> list[dict[str, Any]] | None:
    try:
        return _read_indexes(database)
    except OperationFailure as error:
        if error.code != _UNAUTHORIZED:
            raise
        return None


def _read_statistics(database: _Database) -> dict[str, Any]:
    """Return the collection's statistics; empty if the user may not see them."""
    try:
        return dict(database.command("collStats", COLLECTION))
    except OperationFailure as error:
        if error.code != _UNAUTHORIZED:
            raise
        return {}


def _read_topology(client: MongoClient[dict[str, Any]]) -> str:
    hello = client.admin.command("hello")
    if hello.get("msg") == "isdbgrid":
        return "sharded cluster"
    return f"replica set {hello['setName']}" if "setName" in hello else "single server"
