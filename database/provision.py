"""Make a database ready, as often as one likes: the collection, its indexes, and users with least privilege.

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
    """What `provision` did, and what it left to a person.

    Attributes:
        created_indexes, kept_indexes: names, in the order they are declared.
        keeps_history: whether the server was told to keep what a document was before it is changed or deleted; a user
            who may only read may not.
        conflicts: one sentence for each index that exists with other options, with what to do.
        users: the names of the users that were brought to what was asked.
    """

    created_collection: bool
    created_indexes: tuple[str, ...]
    kept_indexes: tuple[str, ...]
    keeps_history: bool
    conflicts: tuple[str, ...]
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """One index on the collection; `size` in bytes, None where the user may not see it."""

    name: str
    size: int | None


@dataclass(frozen=True, slots=True)
class DatabaseStatus:
    """What a server tells about itself and the collection; sizes in bytes. None: the user may not see it.

    Attributes:
        topology: "replica set NAME", "sharded cluster" or "single server".
        roles: as "role@database".
        documents: from the collection's own statistics; exact except after a crash.
        missing_indexes: names of declared indexes that are not there.
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
    """Bring the collection and its indexes to what is declared and, where users are given, their roles and passwords.

    With `owner` or `reader`, `environment` is an administrator's; the users are kept in the application's database.

    Raises:
        ConfigurationError: one of the users is the administrator, who would be one no more.
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
        # Asked for only where it is needed: a user who may just read can provision what is complete.
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
    """Whether the collection holds a document, found by looking: its statistics may say 0 after a crash.

    It asks as the gateway does, so that a server or user who would refuse every question refuses this one.

    Raises:
        DatabaseError: the server does not answer, or does not permit it.
    """
    with translated_errors(environment.address), open_sync_client(environment) as client:
        return client[environment.database][COLLECTION].find_one({}, {"_id": 1}, collation=CASE_INSENSITIVE) is not None


def read_status(environment: DatabaseEnvironment) -> DatabaseStatus:
    """What the server and the collection say of themselves, as far as the user may see it.

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
    """Drop the users of the application's database that hold `role`, except the one named `keep`; an administrator's.

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
    # An update takes the right to revoke in all databases, which the administrator of one has not.
    if existing and _sort(existing[0]["inheritedPrivileges"]) == _sort(privileges):
        return
    database.command("updateRole" if existing else "createRole", role, privileges=privileges, roles=[])


def _sort(privileges: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    return sorted((repr(privilege["resource"]), sorted(privilege["actions"])) for privilege in privileges)


def _put_user(database: _Database, credentials: Credentials, role: str) -> None:
    roles = [{"role": role, "db": database.name}]
    existing = database.command("usersInfo", credentials.username)["users"]
    # As for a role.
    changed: dict[str, Any] = {} if existing and existing[0]["roles"] == roles else {"roles": roles}
    database.command(
        "updateUser" if existing else "createUser",
        credentials.username,
        pwd=credentials.password,
        mechanisms=["SCRAM-SHA-256"],
        **changed,
    )


def _create_collection(database: _Database) -> bool:
    """Whether it had to be created: another process may have been quicker."""
    try:
        # The driver's own check lists all collections, which an owner of one may not.
        database.create_collection(COLLECTION, check_exists=False)
    except CollectionInvalid:
        return False
    except OperationFailure as error:
        if error.code != _NAMESPACE_EXISTS:
            raise
        return False
    return True


def _keep_history(database: _Database) -> bool:
    """Let the server keep old documents, unless the user may not; whether it does already is not for all to see."""
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
    """The collection's statistics; nothing if the user may not see them."""
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
