"""The database's settings: valid values are used as given; all faults are reported at once, without secrets."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pymongo.saslprep import saslprep
from pymongo.uri_parser import parse_uri

from database.environment import Credentials, DatabaseEnvironment, load_environment
from database.errors import ConfigurationError

_REPOSITORY = Path(__file__).parents[2]
_VALID = {
    "mongo_username": "ann",
    "mongo_password": "s3cret-value",
    "mongo_host": "127.0.0.1",
    "mongo_port": 27017,
    "mongo_database": "transactions",
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "db_envs.yaml"


def _load(
    file: Path, content: Mapping[str, Any] | str, environ: Mapping[str, str] | None = None
) -> DatabaseEnvironment:
    file.write_text(
        content if isinstance(content, str) else yaml.safe_dump(dict(content), allow_unicode=False), encoding="utf-8"
    )
    return load_environment(file, environ or {})


def _load_faults(file: Path, content: Mapping[str, Any] | str, environ: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        _load(file, content, environ)
    heading, *faults = str(caught.value).splitlines()
    assert heading == f"{file} cannot be used:"
    return [fault.removeprefix("  - ") for fault in faults]


def _is_password(text: str) -> bool:
    try:
        saslprep(text)
    except (ValueError, IndexError):
        return False
    return True


_names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
_passwords = _names.filter(_is_password)
_databases = st.text(st.characters(categories=["L", "N"], include_characters="-_"), min_size=1, max_size=15).filter(
    lambda name: name.lower() not in {"admin", "local", "config"}
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_names, _passwords, _databases, st.integers(1, 65535))
@example("a:b@c/d", "p@ss/w%20rd?#&+ é", "x", 1)
def test_credentials_reach_the_driver_unchanged(
    file: Path, username: str, password: str, database: str, port: int
) -> None:
    """For any user, password and database, PyMongo reads the same from the connection URI."""
    given_keys = _VALID | {
        "mongo_username": username,
        "mongo_password": password,
        "mongo_database": database,
        "mongo_port": port,
    }
    environment = _load(file, given_keys)
    parsed = parse_uri(environment.connection_uri)

    assert (parsed["username"], parsed["password"], parsed["database"]) == (username, password, database)
    assert parsed["nodelist"] == [("127.0.0.1", port)]
    assert parsed["options"]["authSource"] == database


@given(username=_names, password=_passwords)
def test_other_credentials_replace_those_of_a_uri(username: str, password: str) -> None:
    """A URI with replaced credentials keeps its hosts and options, and nothing of its own user."""
    uri = "mongodb://bob:secret@a:1,b:2/shop?replicaSet=rs&authSource=admin&authMechanism=SCRAM-SHA-1"
    derived = DatabaseEnvironment(uri=uri).with_credentials(Credentials(username, password))
    parsed = parse_uri(derived.connection_uri)

    assert (parsed["username"], parsed["password"]) == (username, password)
    assert parsed["nodelist"] == [("a", 1), ("b", 2)]
    assert dict(parsed["options"]) == {"replicaSet": "rs", "authSource": "shop"}
    assert "bob" not in unquote(derived.connection_uri) or "bob" in username + password


def test_file_of_the_repository_is_accepted() -> None:
    """The delivered db_envs.yaml names a local server by parts."""
    environment = load_environment(_REPOSITORY / "db_envs.yaml", {})
    assert environment.address == "127.0.0.1:27017"
    assert environment.is_local


@pytest.mark.parametrize("key", _VALID)
def test_variable_beats_the_file(file: Path, key: str) -> None:
    """Each key is overridden by the environment variable of its name in capitals."""
    value = "28000" if key == "mongo_port" else "other"
    environment = _load(file, _VALID, {key.upper(): value})
    assert str(getattr(environment, key.removeprefix("mongo_"))) == value


def test_variables_alone_suffice(tmp_path: Path) -> None:
    """If the variables give everything, no file is needed."""
    environ = {key.upper(): str(value) for key, value in _VALID.items()}
    assert load_environment(tmp_path / "none.yaml", environ).username == "ann"


def test_missing_file_is_told_with_the_missing_keys(tmp_path: Path) -> None:
    """A missing file is reported together with each key that nothing else gives."""
    with pytest.raises(ConfigurationError) as caught:
        load_environment(tmp_path / "none.yaml", {"MONGO_HOST": "localhost"})
    message = str(caught.value)
    assert "there is no such file" in message
    assert [key for key in _VALID if f"{key}: is missing" in message] == [key for key in _VALID if key != "mongo_host"]


@pytest.mark.parametrize("level", ["file", "variable"])
@pytest.mark.parametrize("uri", ["mongodb://h/shop", "mongodb+srv://u:p@cluster.example.net/shop?retryWrites=true"])
def test_uri_replaces_all_parts(file: Path, uri: str, level: str) -> None:
    """A URI, from file or variable, is used unchanged, and the other keys are not even checked."""
    spoilt = {"mongo_port": "no port", "mongo_password_file": "/nowhere"}
    environment = (
        _load(file, spoilt | {"mongo_uri": uri}) if level == "file" else _load(file, spoilt, {"MONGO_URI": uri})
    )
    assert environment.connection_uri == uri
    assert environment.database == "shop"


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_secret_file_is_read_without_its_line_end(file: Path, ending: str) -> None:
    """A mounted secret is found relative to the settings file, and its final line break dropped."""
    text = " pass word "
    (file.parent / "secret").write_bytes(f"{text}{ending}".encode())
    content = {key: value for key, value in _VALID.items() if key != "mongo_password"}
    assert _load(file, content | {"mongo_password_file": "secret"}).password == text
    assert _load(file, content, {"MONGO_PASSWORD_FILE": str(file.parent / "secret")}).password == text


def test_key_beside_its_file_twin_is_a_fault(file: Path) -> None:
    """A key and its _file twin at the same level are a fault; at different levels the variable wins."""
    text = "from the file"
    (file.parent / "secret").write_text(text)
    assert _load_faults(file, _VALID | {"mongo_password_file": "secret"}) == [
        "mongo_password and mongo_password_file: are both given; keep one"
    ]
    assert _load(file, _VALID, {"MONGO_PASSWORD_FILE": str(file.parent / "secret")}).password == text


def test_all_faults_are_told_at_once(file: Path) -> None:
    """One message lists every fault by the key or variable that gave it."""
    content = "mongo_user: ann\nmongo_password: 12345\nmongo_port: 70000\nmongo_port: 70000\nmongo_host: a:1\n"
    faults = _load_faults(file, content, {"MONGO_DATABASE": "a.b", "MONGO_USERNAME_FILE": "/nowhere"})
    assert [fault.partition(":")[0] for fault in faults] == [
        "mongo_port",
        "mongo_user",
        "MONGO_USERNAME_FILE",
        "mongo_password",
        "mongo_host",
        "mongo_port",
        "MONGO_DATABASE",
    ]
    assert "did you mean mongo_username?" in faults[1]


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("mongo_pasword", "did you mean mongo_password?"),
        ("mongodb_uri", "did you mean mongo_uri?"),
        ("mongo_timeout", "the keys are mongo_username, "),
        ("mongo_collection", "the keys are mongo_username, "),
    ],
)
def test_only_a_key_that_is_near_is_proposed(file: Path, key: str, told: str) -> None:
    """A misspelt key gets the nearest one suggested, an unrelated key the list of all."""
    assert _load_faults(file, _VALID | {key: "x"})[0].startswith(f"{key}: is not a known key; {told}")


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("mongo_username", "", "is empty"),
        ("mongo_username", None, "is empty"),
        ("mongo_username", 7, "put the value in quotes"),
        ("mongo_username", ["a"], "a list"),
        ("mongo_password", "", "is empty"),
        ("mongo_password", "\x07", "control character"),
        ("mongo_password", "\U0001f511", "emoji"),
        ("mongo_password", "\u00ad", "visible text"),
        ("mongo_username", "\udcff", "not UTF-8"),
        ("mongo_host", "", "a host name or an IP address"),
        ("mongo_host", "a b", "a host name or an IP address"),
        ("mongo_host", "a,b", "mongo_uri"),
        ("mongo_host", "mongodb://a", "mongo_uri"),
        ("mongo_host", "a:27017", "mongo_port"),
        ("mongo_port", 0, "from 1 to 65535"),
        ("mongo_port", 65536, "from 1 to 65535"),
        ("mongo_port", True, "from 1 to 65535"),
        ("mongo_port", 1.5, "from 1 to 65535"),
        ("mongo_port", "", "from 1 to 65535"),
        ("mongo_port", "٣", "from 1 to 65535"),
        ("mongo_port", "9" * 5000, "from 1 to 65535"),
        ("mongo_database", "", "is empty"),
        ("mongo_database", "a b", "must have no space"),
        ("mongo_database", "a\0b", "must have no space"),
        ("mongo_database", "é" * 32, "longer than 63 bytes"),
        ("mongo_database", "Admin", "the server's own"),
    ],
)
def test_faulty_value_is_told_with_what_is_accepted(file: Path, key: str, value: object, told: str) -> None:
    """Each kind of fault is reported by key, with what is accepted."""
    (fault,) = _load_faults(file, _VALID | {key: value})
    assert fault.startswith(f"{key}: ")
    assert told in fault


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("", "must begin with mongodb://"),
        ("postgres://u:s3cret-value@h/db", "must begin with mongodb://"),
        ("mongodb://u:s3cret-value@h", "must name the database"),
        ("mongodb://u:s3cret-value@h/", "must name the database"),
        ("mongodb://u:s3cret-value@h/a.b", 'a "." in it'),
        ("mongodb://u:s3cret-value@h/admin", "the server's own"),
        ("mongodb://u:s3cret-value@h:99999/db", "must look like"),
        ("mongodb://u:s3cret-value@x@h/db", "must look like"),
        ("mongodb://u:s3cret%value@h/db", "must look like"),
        ("mongodb://u:hunter?s3cret-value@h/db", "must look like"),
        ("mongodb://u:p@a?s3cret=value@h/db", "must look like"),
        ("mongodb://h/db?tls=s3cret-value&nonsense=1", "tls, nonsense"),
        ("mongodb://h/db?datetime_conversion=s3cret", "datetime_conversion"),
        ("mongodb+srv://u:s3cret-value@h:27017/db", "must look like"),
        ("mongodb+srv://u:s3cret-value@a,b/db", "must look like"),
        ("mongodb://u:s3cret-value@h/db\n", "must look like"),
    ],
)
def test_faulty_uri_is_told_without_its_secret(file: Path, uri: str, told: str) -> None:
    """A faulty URI is reported with its fault, and never quoted."""
    (fault,) = _load_faults(file, {"mongo_uri": uri})
    assert fault.startswith("mongo_uri: ")
    assert told in fault
    assert "s3cret" not in fault


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("mongo_password: *s3cret-value", "is not YAML (line 1)"),
        ("mongo_password: 's3cret-value", "is not YAML"),
        ("a: 2024-13-45", "is not YAML"),
        ("[" * 5000, "is not YAML"),
        ("", "must hold 'key: value' lines"),
        ("- s3cret-value", "must hold 'key: value' lines"),
        ("!!python/object/apply:os.getpid []", "is not YAML"),
        ("s3cret: &a [*a]", "the keys are"),
    ],
)
def test_faulty_file_is_told_without_its_content(file: Path, content: str, told: str) -> None:
    """A file that cannot be parsed is reported as such, without its content."""
    environ = {key.upper(): str(value) for key, value in _VALID.items()}
    (fault,) = _load_faults(file, content, environ)
    assert told in fault
    assert "s3cret-value" not in fault


def test_unreadable_files_are_told_with_the_reason(file: Path) -> None:
    """A settings file or secret that is a folder or not text is reported with its path and the reason."""
    (file.parent / "binary").write_bytes(b"\xff\xfe\x00")
    for path, told in ((file.parent, "cannot be read (Is a directory)"), (file.parent / "binary", "not UTF-8")):
        with pytest.raises(ConfigurationError, match="is missing") as caught:
            load_environment(path, {})
        assert told in str(caught.value)
        (fault,) = _load_faults(file, _VALID, {"MONGO_PASSWORD_FILE": str(path)})
        assert told.rpartition("(")[2] in fault


def test_file_that_cannot_even_be_looked_for_is_told_with_the_reason(tmp_path: Path) -> None:
    """A path that the system refuses to follow is reported with the reason, not as missing."""
    with pytest.raises(ConfigurationError, match=r"cannot be read \(File name too long\)") as caught:
        load_environment(tmp_path / ("x" * 300), {})
    assert "there is no such file" not in str(caught.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from([*_VALID, "mongo_uri", "mongo_password_file", "mongo_urI"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()) | st.dates(),
    )
)
def test_any_file_is_accepted_or_told(file: Path, content: dict[str, Any]) -> None:
    """Whatever the values, the result is an environment or one list of faults."""
    try:
        _load(file, content)
    except ConfigurationError as error:
        assert "  - " in str(error)


def test_secrets_are_not_in_the_repr(file: Path) -> None:
    """Neither a password nor a URI is in the repr."""
    in_parts = _load(file, _VALID)
    by_uri = DatabaseEnvironment(uri="mongodb://u:s3cret-value@h/db")
    assert "s3cret" not in repr((in_parts, by_uri, Credentials("u", "s3cret-value"), in_parts.address, by_uri.address))


@pytest.mark.parametrize(
    ("environment", "address", "is_local"),
    [
        (DatabaseEnvironment("u", "p", "::1", 1, "db"), "[::1]:1", True),
        (DatabaseEnvironment("u", "p", "[::1]", 1, "db"), "[::1]:1", True),
        (DatabaseEnvironment("u", "p", "LocalHost", 1, "db"), "LocalHost:1", True),
        (DatabaseEnvironment("u", "p", "127.8.8.8", 1, "db"), "127.8.8.8:1", True),
        (DatabaseEnvironment("u", "p", "192.0.2.1", 1, "db"), "192.0.2.1:1", False),
        (DatabaseEnvironment("u", "p", "localhost.example.net", 1, "db"), "localhost.example.net:1", False),
        (DatabaseEnvironment(uri="mongodb://u:p@localhost/db"), "localhost:27017", True),
        (DatabaseEnvironment(uri="mongodb://u:p@localhost,127.0.0.1:2/db"), "localhost:27017,127.0.0.1:2", False),
        (DatabaseEnvironment(uri="mongodb+srv://u:p@localhost.example.net/db"), "localhost.example.net", False),
        (DatabaseEnvironment(uri="mongodb+srv://u:p@a.b.net/db?srvMaxHosts=2"), "a.b.net", False),
    ],
)
def test_address_and_place(environment: DatabaseEnvironment, address: str, *, is_local: bool) -> None:
    """The address is readable, and a server is local only at a single loopback address or name."""
    assert (environment.address, environment.is_local) == (address, is_local)


def test_parts_made_in_code_are_validated() -> None:
    """An environment built with faults raises an error that lists each."""
    with pytest.raises(ConfigurationError) as caught:
        DatabaseEnvironment("", "p", "h", 0, "a b")
    assert [line.split(":")[0].strip(" -") for line in str(caught.value).splitlines()[1:]] == [
        "username",
        "port",
        "database",
    ]
