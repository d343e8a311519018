"""Read db_envs.yaml and environment variables into one frozen DatabaseEnvironment: the server, database and user.

It validates without connecting to anything or using DNS. No fault message may contain a value that may be secret.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import yaml

from database.address import CHECKS, HIGHEST_PORT, SRV, is_loopback, join_address, parse_uri
from database.errors import ConfigurationError

_PARTS = ("mongo_username", "mongo_password", "mongo_host", "mongo_port", "mongo_database")
_URI = "mongo_uri"
_READABLE_FROM_FILE = ("mongo_username", "mongo_password", _URI)
_FILE = "_file"
_KNOWN_KEYS = (*_PARTS, _URI, *(key + _FILE for key in _READABLE_FROM_FILE))

_AUTHENTICATION_OPTIONS = {"authsource", "authmechanism", "authmechanismproperties"}


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user's name and password."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DatabaseEnvironment:
    """A server, a database on it and a user, given either in parts or as one URI.

    In parts, `host` and `port` mean that one server, whatever replica set it belongs to; failover needs a URI. With a
    URI, `database` is the one it names and the other parts are empty.

    Attributes:
        auth_source: the database that holds the user; None means `database` itself.

    Raises:
        ConfigurationError: a part is invalid; the message lists every fault.
    """

    username: str = ""
    password: str = field(default="", repr=False)
    host: str = ""
    port: int = 0
    database: str = ""
    uri: str | None = field(default=None, repr=False)
    auth_source: str | None = None

    def __post_init__(self) -> None:
        given: dict[str, Any] = (
            {_URI: self.uri} if self.uri is not None else {key: getattr(self, key[len("mongo_") :]) for key in _PARTS}
        )
        faults = [f"{key[len('mongo_') :]}: {fault}" for key, value in given.items() if (fault := CHECKS[key](value))]
        if faults:
            raise ConfigurationError(_list_faults("The database's address", faults))
        if self.uri is not None:
            object.__setattr__(self, "database", parse_uri(self.uri)["database"])

    @property
    def connection_uri(self) -> str:
        """The URI to connect with. It contains the credentials: never log it."""
        if self.uri is not None:
            return self.uri
        user = f"{quote(self.username, safe='')}:{quote(self.password, safe='')}"
        source = quote(self.auth_source or self.database, safe="")
        return f"mongodb://{user}@{self.address}/{quote(self.database)}?authSource={source}&directConnection=true"

    @property
    def address(self) -> str:
        """The host and port of each server, for messages; never a credential."""
        if self.uri is None:
            return join_address(self.host, self.port)
        parsed = parse_uri(self.uri)
        if self.uri.startswith(SRV):
            return str(parsed["fqdn"])
        return ",".join(join_address(host, port) for host, port in parsed["nodelist"])

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine: a single host, by a loopback address or name."""
        if self.uri is None:
            return is_loopback(self.host)
        nodes = parse_uri(self.uri)["nodelist"]
        return not self.uri.startswith(SRV) and len(nodes) == 1 and is_loopback(nodes[0][0])

    @property
    def uri_options(self) -> frozenset[str]:
        """The lower-case names of the options that the URI sets."""
        return frozenset() if self.uri is None else frozenset(name.lower() for name in parse_uri(self.uri)["options"])

    def with_credentials(self, credentials: Credentials, auth_source: str | None = None) -> Self:
        """Return the same environment with another user, stored in `auth_source` (None: the database itself)."""
        if self.uri is None:
            return replace(self, username=credentials.username, password=credentials.password, auth_source=auth_source)
        scheme, _, rest = self.uri.partition("://")
        location, _, query = rest.partition("?")
        user = f"{quote(credentials.username, safe='')}:{quote(credentials.password, safe='')}"
        options = [
            pair
            for pair in query.replace(";", "&").split("&")
            if pair and pair.partition("=")[0].lower() not in _AUTHENTICATION_OPTIONS
        ]
        options.append(f"authSource={quote(auth_source or self.database, safe='')}")
        return replace(self, uri=f"{scheme}://{user}@{location.rpartition('@')[2]}?{'&'.join(options)}")


def load_environment(path: Path, environ: Mapping[str, str]) -> DatabaseEnvironment:
    """Read the database settings from a YAML file and the environment variables that override its keys.

    The file may be absent if the variables give every required setting.

    Raises:
        ConfigurationError: a setting is invalid; the message lists every fault by its key, with what is accepted.
    """
    faults: list[str] = []
    in_file = _load_file(path, faults)
    in_variables = {key: environ[key.upper()] for key in _KNOWN_KEYS if key.upper() in environ}
    given = {
        **_collect(in_file, str, path.parent, faults),
        **_collect(in_variables, str.upper, Path(), faults),
    }
    required: tuple[str, ...] = (_URI,) if _URI in given else _PARTS

    values: dict[str, Any] = {}
    for key in required:
        if key not in given:
            continue
        try:
            values[key] = given[key].read()
        except ValueError as error:
            faults.append(f"{given[key].label}: {error}")
        else:
            if fault := CHECKS[key](values[key]):
                faults.append(f"{given[key].label}: {fault}")

    if missing := [key for key in required if key not in given]:
        # If `exists` fails, `_load_file` has already recorded why the file cannot be read.
        with suppress(OSError):
            if not path.exists():
                faults.append(f"{path}: there is no such file")
        faults.extend(f"{key}: is missing; set it here or by the variable {key.upper()}" for key in missing)
    if faults:
        raise ConfigurationError(_list_faults(str(path), faults))
    return DatabaseEnvironment(**{key[len("mongo_") :]: value for key, value in values.items()})


@dataclass(frozen=True, slots=True)
class _Given:
    """One setting as given: the name it was given by, and either its value or the path of its secret file."""

    label: str
    key: str
    value: object
    folder: Path
    in_secret_file: bool

    def read(self) -> str | int:
        """Return the setting's value; the message of a ValueError says what is wrong with it."""
        if self.in_secret_file:
            return self._read_secret_file()
        if self.key == "mongo_port":
            return _to_port(self.value)
        if self.value is None:
            raise ValueError("is empty")
        if not isinstance(self.value, str):
            raise ValueError(f"must be text, not {_describe_type(self.value)}; put the value in quotes")  # noqa: TRY004 (one error kind for every fault of a value)
        return self.value

    def _read_secret_file(self) -> str:
        if not isinstance(self.value, str) or not self.value:
            raise ValueError("must be the path of a readable file")
        try:
            text = (self.folder / self.value).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise ValueError("names a file that is not UTF-8 text") from None
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not a path"
            raise ValueError(f"names a file that cannot be read ({reason}): {self.value!r}") from None
        return text.removesuffix("\n").removesuffix("\r")


def _load_file(path: Path, faults: list[str]) -> dict[str, object]:
    """Return the values of the file's known keys; append the file's faults to `faults`."""
    try:
        written, document = _parse_yaml(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        faults.append(f"{path}: is not UTF-8 text")
        return {}
    except (OSError, ValueError) as error:
        faults.append(f"{path}: {f'cannot be read ({error.strerror})' if isinstance(error, OSError) else error}")
        return {}
    twice = sorted({key for key in written if written.count(key) > 1})
    faults.extend(f"{key}: is given more than once" for key in twice)
    faults.extend(_describe_unknown(key) for key in document if key not in _KNOWN_KEYS)
    return {str(key): value for key, value in document.items() if key in _KNOWN_KEYS}


def _parse_yaml(text: str) -> tuple[list[str], dict[object, object]]:
    """Return the keys as written, duplicates included, and the mapping; a ValueError's message states the fault."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # The parser's message may quote the line, and the line may contain the password.
        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        where = f" (line {mark.line + 1})" if mark else ""
        raise ValueError(
            f"is not YAML{where}; write one 'key: value' a line, and put text with special characters in quotes"
        ) from None
    if not isinstance(node, yaml.MappingNode) or not isinstance(document, dict):
        raise ValueError(f"must hold 'key: value' lines, with the keys {', '.join(_KNOWN_KEYS)}")  # noqa: TRY004 (one error kind for every fault of the file)
    return [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)], document


def _collect(
    level: Mapping[str, object], label: Callable[[str], str], folder: Path, faults: list[str]
) -> dict[str, _Given]:
    """Collect the settings of one level, the file or the variables; a key together with its _file twin is a fault."""
    given: dict[str, _Given] = {}
    for key in (*_PARTS, _URI):
        twin = key + _FILE
        if key in level and twin in level:
            faults.append(f"{label(key)} and {label(twin)}: are both given; keep one")
        if key in level:
            given[key] = _Given(label(key), key, level[key], folder, in_secret_file=False)
        elif twin in level:
            given[key] = _Given(label(twin), key, level[twin], folder, in_secret_file=True)
    return given


def _describe_unknown(key: object) -> str:
    name = str(key).lower()
    begun = [known for known in _KNOWN_KEYS if name and known.startswith(name)]
    # All keys share a prefix, so a lower cutoff would make any two of them close.
    near = begun or difflib.get_close_matches(name, _KNOWN_KEYS, n=1, cutoff=0.8)
    hint = f"did you mean {near[0]}?" if near else f"the keys are {', '.join(_KNOWN_KEYS)}"
    return f"{key}: is not a known key; {hint}"


def _describe_type(value: object) -> str:
    return {bool: "true or false", int: "a number", float: "a number", dict: "a mapping", list: "a list"}.get(
        type(value), "another kind of value"
    )


def _list_faults(subject: str, faults: Iterable[str]) -> str:
    return "\n".join([f"{subject} cannot be used:", *(f"  - {fault}" for fault in faults)])


def _to_port(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"must be a whole number from 1 to {HIGHEST_PORT}")  # noqa: TRY004 (one error kind for every fault of a value)
    text = str(value)
    # int() rejects very long digit strings with another message.
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(HIGHEST_PORT))):
        raise ValueError(f"must be a whole number from 1 to {HIGHEST_PORT}")
    return int(text)
