"""Settings are read once, validated together, and documented."""

import re
from pathlib import Path

import pytest

from database.errors import ConfigurationError
from database.query import FIELDS
from gateway.lambda_secret import SECRET_VARIABLE
from gateway.settings import JwtSettings, load_settings
from gateway.variable import VARIABLES, Variable

ROOT = Path(__file__).parents[2]
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - rejected or parsed, not bound


def test_defaults_need_no_environment() -> None:
    """Without variables the gateway listens on loopback, port 5000."""
    settings = load_settings({})
    assert (settings.host, settings.port) == ("127.0.0.1", 5000)
    assert settings.workers >= 1


# A non-default value for each setting.
GIVEN = {
    "GATEWAY_KEYS_FILE": "keys.json",
    "GATEWAY_JWT_ISSUER": "https://issuer.example",
    "GATEWAY_JWT_AUDIENCE": "gateway",
    "GATEWAY_JWT_JWKS": "jwks.json",
    "GATEWAY_JWT_LEEWAY_SECONDS": "31",
    "GATEWAY_REQUESTS_PER_MINUTE": "77",
    "GATEWAY_FAILURES_PER_MINUTE": "78",
    "GATEWAY_RATE_STORE": "redis://:secret@127.0.0.1:6379",
    "GATEWAY_TRUSTED_PROXIES": "10.0.0.0/8, 127.0.0.1",
    "GATEWAY_CORS_ORIGINS": "https://app.example,http://localhost:3000",
    "GATEWAY_INTROSPECTION": "off",
    "GATEWAY_TRUSTED_DOCUMENTS": "manifest.json",
    "GATEWAY_MAX_BODY_BYTES": "1001",
    "GATEWAY_MAX_DOCUMENT_BYTES": "1002",
    "GATEWAY_MAX_TOKENS": "1003",
    "GATEWAY_MAX_DEPTH": "5",
    "GATEWAY_MAX_ALIASES": "6",
    "GATEWAY_MAX_DIRECTIVES": "7",
    "GATEWAY_MAX_ROWS": "1004",
    "GATEWAY_MAX_CONCURRENT": "9",
    "GATEWAY_DATABASE_TIMEOUT_MS": "1005",
    "GATEWAY_COUNT_ROLLUPS": "off",
    "GATEWAY_MAX_SUBSCRIPTIONS": "10",
    "GATEWAY_REQUEST_TIMEOUT_MS": "1006",
    "GATEWAY_DRAIN_SECONDS": "9",
    "GATEWAY_LOG_FORMAT": "text",
    "GATEWAY_LOG_LEVEL": "error",
    "GATEWAY_SLOW_QUERY_MS": "1007",
    "GATEWAY_TRACING": "on",
}


def test_every_variable_is_read() -> None:
    """Each variable changes the settings, and the variables of JWTs set all of their fields."""
    assert {*GIVEN, "GATEWAY_RATE_STORE_FILE"} == {variable.name for variable in VARIABLES}
    before = load_settings({}, is_terminal=False)
    for name in GIVEN.keys() - {"GATEWAY_JWT_ISSUER", "GATEWAY_JWT_AUDIENCE", "GATEWAY_JWT_LEEWAY_SECONDS"}:
        # Issuer, audience and key set must be given together.
        names = [name] if name != "GATEWAY_JWT_JWKS" else [each for each in GIVEN if each.startswith("GATEWAY_JWT_")]
        assert load_settings({each: GIVEN[each] for each in names}) != before, name
    jwt = load_settings(GIVEN).jwt
    assert jwt == JwtSettings("https://issuer.example", "gateway", "jwks.json", 31)


@pytest.mark.parametrize("host", [EVERY_ADDRESS, "::", "192.0.2.1", "gateway.example"])
def test_other_machines_need_authentication(host: str) -> None:
    """An address that others can reach is refused until keys or tokens are configured, and the message says how."""
    with pytest.raises(ConfigurationError, match=r"gateway keys create.*GATEWAY_JWT_ISSUER.*127\.0\.0\.1"):
        load_settings({}, host=host)
    assert not load_settings({"GATEWAY_KEYS_FILE": "keys.json"}, host=host).is_open


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost", "LocalHost"])
def test_loopback_is_open(host: str) -> None:
    """Loopback addresses need no authentication, and introspection is on."""
    settings = load_settings({}, host=host)
    assert settings.is_open
    assert settings.limits.introspection


def test_other_machines_get_less() -> None:
    """Off loopback, introspection is off and callers are rate-limited, unless settings say otherwise."""
    keys = {"GATEWAY_KEYS_FILE": "keys.json"}
    settings = load_settings(keys, host=EVERY_ADDRESS)
    assert (settings.limits.introspection, settings.requests_per_minute) == (False, 6_000)
    chosen = load_settings(
        keys | {"GATEWAY_INTROSPECTION": "on", "GATEWAY_REQUESTS_PER_MINUTE": "0"}, host=EVERY_ADDRESS
    )
    assert (chosen.limits.introspection, chosen.requests_per_minute) == (True, 0)


def test_whose_tokens_are_accepted_is_said_whole() -> None:
    """Issuer, audience and key set are refused by name unless all are given."""
    with pytest.raises(ConfigurationError, match="GATEWAY_JWT_AUDIENCE and GATEWAY_JWT_JWKS must be given too"):
        load_settings({"GATEWAY_JWT_ISSUER": "https://issuer.example"})


def test_a_secret_is_not_shown() -> None:
    """The rate store's URL, which may hold a password, is in neither an error nor the settings' repr."""
    with pytest.raises(ConfigurationError) as raised:
        load_settings({"GATEWAY_RATE_STORE": "secret@host"})
    assert "secret" not in str(raised.value)
    assert "secret" not in repr(load_settings({"GATEWAY_RATE_STORE": "redis://:secret@host"}))


def test_the_rate_store_may_be_in_a_file(tmp_path: Path) -> None:
    """The rate store's URL may come from a file or a variable, not both, and no error shows it."""
    file = tmp_path / "rate-store"
    file.write_text("rediss://:secret@store:6380/1\n")
    environ = {"GATEWAY_RATE_STORE_FILE": str(file)}
    assert load_settings(environ).rate_store == "rediss://:secret@store:6380/1"
    with pytest.raises(ConfigurationError, match="GATEWAY_RATE_STORE and GATEWAY_RATE_STORE_FILE are both given"):
        load_settings({**environ, "GATEWAY_RATE_STORE": "redis://store"})
    for content in (b"secret@store", b"\xff", None):
        if content is None:
            file.unlink()
        else:
            file.write_bytes(content)
        with pytest.raises(ConfigurationError, match=r"GATEWAY_RATE_STORE_FILE is .*; give a file with") as raised:
            load_settings(environ)
        assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GATEWAY_JWT_JWKS", "http://issuer.example/jwks.json"),
        ("GATEWAY_CORS_ORIGINS", "*"),
        ("GATEWAY_CORS_ORIGINS", "https://app.example/path"),
        ("GATEWAY_TRUSTED_PROXIES", "proxy"),
        ("GATEWAY_INTROSPECTION", "yes"),
        ("GATEWAY_MAX_ROWS", "0"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(name: str, value: str) -> None:
    """An invalid value is named with the accepted ones."""
    accepts = next(variable.accepts for variable in VARIABLES if variable.name == name)
    with pytest.raises(ConfigurationError) as raised:
        load_settings({name: value})
    assert f"{name} is {value!r}; give {accepts}" in str(raised.value)


def test_every_fault_is_reported_at_once() -> None:
    """One error names each faulty variable, the accepted values, and the nearest name for a misspelt one."""
    environ = {"GATEWAY_MAX_DEPTH": "deep", "GATEWAY_MAX_TOKENS": "-1", "GATEWAY_MAX_ALIASE": "3"}
    with pytest.raises(ConfigurationError) as raised:
        load_settings(environ)
    for part in ("GATEWAY_MAX_DEPTH is 'deep'", "GATEWAY_MAX_TOKENS is '-1'", "did you mean GATEWAY_MAX_ALIASES?"):
        assert part in str(raised.value)


@pytest.mark.parametrize("name", ["GATEWAY_PORT", "GATEWAY_TIMEOUT", "GATEWAY_FOO"])
def test_no_other_setting_is_proposed_for_one_that_is_none(name: str) -> None:
    """A name that merely shares the prefix of the settings gets the list of all, not the name of an unrelated one."""
    with pytest.raises(ConfigurationError, match=f"{name} is not a setting; the settings are GATEWAY_CORS_ORIGINS, "):
        load_settings({name: "1"})


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda variable: variable.name)
def test_each_setting_is_documented(variable: Variable) -> None:
    """docs/settings.md has a row with each setting's name, default, accepted values and meaning."""
    row = f"| `{variable.name}` | {variable.default} | {variable.accepts} | {variable.meaning} |"
    assert row in (ROOT / "docs/settings.md").read_text().splitlines()


def test_nothing_else_is_documented() -> None:
    """docs/settings.md documents no GATEWAY_ variable that does not exist."""
    text = (ROOT / "docs/settings.md").read_text()
    documented = {word.strip("`") for word in text.split() if word.startswith("`GATEWAY_")}
    assert documented == {variable.name for variable in VARIABLES}


def test_the_secret_of_a_function_is_documented() -> None:
    """docs/settings.md names the variable through which a Lambda function finds its database."""
    assert f"`{SECRET_VARIABLE}`" in (ROOT / "docs/settings.md").read_text()


def test_the_documents_are_described() -> None:
    """docs/settings.md lists the fields of the documents that are served, in their order."""
    page = (ROOT / "docs/settings.md").read_text().partition("### The documents")[2]
    rows = re.findall(r"^\| (`.+?) \|", page, re.MULTILINE)
    assert re.findall(r"`(\w+)`", " ".join(rows)) == list(FIELDS)
