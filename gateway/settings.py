"""The gateway's own settings: command-line options and GATEWAY_… variables, read once into one frozen object."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from database.address import is_loopback
from database.errors import ConfigurationError, quote_value
from database.machine import count_cores
from gateway.variable import PREFIX, VARIABLES
from schema.limits import Limits

# After the drain, a worker has this long to close its cursors and its client before it is killed.
CLOSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class JwtSettings:
    """Which JWTs are accepted.

    Attributes:
        issuer: the `iss` of RFC 7519.
        audience: the `aud` of RFC 7519.
        jwks: an https URL or a file with the issuer's JSON Web Key Set (RFC 7517).
        leeway_seconds: how far clocks may differ.
    """

    issuer: str
    audience: str
    jwks: str
    leeway_seconds: int

    @property
    def is_url(self) -> bool:
        """Whether the key set is fetched rather than read from a file."""
        return self.jwks.startswith("https://")


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings except the database's, which are in db_envs.yaml.

    Attributes:
        host: address to listen on.
        port: port to listen on; 0 takes a free one.
        workers: number of worker processes.
        keys_file: the file of the API keys' hashes, if keys are accepted.
        jwt: which JWTs are accepted, if any.
        requests_per_minute: maximum requests of one caller; 0 for no limit.
        failures_per_minute: maximum failed authentications from one address.
        rate_store: the Redis in which workers and replicas count together, if any.
        trusted_proxies: networks whose X-Forwarded-… headers are trusted.
        cors_origins: origins whose pages may read responses.
        trusted_documents: the manifest of the only documents that are served, if any.
        max_body_bytes: maximum size of a GraphQL request's body.
        limits: limits of a GraphQL operation.
        max_concurrent: maximum database requests that a worker handles at a time.
        database_timeout_ms: the database's time limit for one page or count.
        has_rollups: whether each worker keeps counts in memory.
        max_subscriptions: maximum live streams of one caller at a worker.
        request_timeout_ms: longest wait for a body, for the start of a response, and between two parts of it.
        drain_seconds: how long requests in flight may take when the gateway stops.
        log_format: `text` or `json`.
        log_level: `info`, `warning` or `error`.
        slow_query_ms: database commands that take at least this long are logged.
        is_tracing: whether traces are sent.
    """

    host: str
    port: int
    workers: int
    keys_file: Path | None
    jwt: JwtSettings | None
    requests_per_minute: int
    failures_per_minute: int
    rate_store: str | None = field(repr=False)
    trusted_proxies: tuple[str, ...]
    cors_origins: tuple[str, ...]
    trusted_documents: Path | None
    max_body_bytes: int
    limits: Limits
    max_concurrent: int
    database_timeout_ms: int
    has_rollups: bool
    max_subscriptions: int
    request_timeout_ms: int
    drain_seconds: int
    log_format: str
    log_level: str
    slow_query_ms: int
    is_tracing: bool

    @property
    def is_open(self) -> bool:
        """Whether no authentication is configured, so that everyone who can reach the gateway may use it."""
        return self.keys_file is None and self.jwt is None

    @property
    def stop_seconds(self) -> float:
        """How long a worker may take to stop, including its drain."""
        return self.drain_seconds + CLOSE_SECONDS


def load_settings(
    environ: Mapping[str, str],
    *,
    host: str = "127.0.0.1",
    port: int = 5000,
    workers: int | None = None,
    is_terminal: bool = False,
) -> Settings:
    """Combine the command line's options with the environment's variables; an empty variable counts as not set.

    Args:
        environ: the environment's variables.
        host: the address to listen on.
        port: the port to listen on.
        workers: the number of workers; if None, one per core that this process may use.
        is_terminal: whether the log goes to a terminal.

    Raises:
        ConfigurationError: names every faulty variable at once, and what it accepts.
    """
    given, faults = _read_variables(environ)
    is_local = is_loopback(host)
    faults += _find_access_faults(given, host, is_local=is_local)
    if {"rate_store", "rate_store_file"} <= given.keys():
        faults.append("GATEWAY_RATE_STORE and GATEWAY_RATE_STORE_FILE are both given; keep one.")
    if faults:
        raise ConfigurationError("The environment has faults:\n" + "\n".join(f"  {fault}" for fault in faults))
    default = {variable.name.removeprefix(PREFIX).lower(): variable.default for variable in VARIABLES}

    def number(name: str) -> int:
        return int(given.get(name, default[name]))

    jwt = (
        JwtSettings(given["jwt_issuer"], given["jwt_audience"], given["jwt_jwks"], number("jwt_leeway_seconds"))
        if "jwt_jwks" in given
        else None
    )
    return Settings(
        host=host,
        port=port,
        workers=workers or count_cores(),
        keys_file=given.get("keys_file"),
        jwt=jwt,
        requests_per_minute=given.get("requests_per_minute", 0 if is_local else 6_000),
        failures_per_minute=number("failures_per_minute"),
        rate_store=given.get("rate_store", given.get("rate_store_file")),
        trusted_proxies=given.get("trusted_proxies", ()),
        cors_origins=given.get("cors_origins", ()),
        trusted_documents=given.get("trusted_documents"),
        max_body_bytes=number("max_body_bytes"),
        limits=Limits(
            document_bytes=number("max_document_bytes"),
            tokens=number("max_tokens"),
            depth=number("max_depth"),
            aliases=number("max_aliases"),
            directives=number("max_directives"),
            rows=number("max_rows"),
            introspection=given.get("introspection", "on" if is_local else "off") == "on",
        ),
        max_concurrent=number("max_concurrent"),
        database_timeout_ms=number("database_timeout_ms"),
        has_rollups=given.get("count_rollups", default["count_rollups"]) == "on",
        max_subscriptions=number("max_subscriptions"),
        request_timeout_ms=number("request_timeout_ms"),
        drain_seconds=number("drain_seconds"),
        log_format=given.get("log_format", "text" if is_terminal else "json"),
        log_level=given.get("log_level", default["log_level"]),
        slow_query_ms=number("slow_query_ms"),
        is_tracing=given.get("tracing", default["tracing"]) == "on",
    )


def _read_variables(environ: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Return the environment's settings by their fields' names, and the faults of variables that cannot be used."""
    known = {variable.name for variable in VARIABLES}
    faults = [_name_unknown(name, known) for name in environ if name.startswith(PREFIX) and name not in known]
    given: dict[str, Any] = {}
    for variable in VARIABLES:
        if text := environ.get(variable.name, "").strip():
            try:
                given[variable.name.removeprefix(PREFIX).lower()] = variable.read(text)
            except ValueError:
                fault = "cannot be used" if variable.is_secret else f"is {quote_value(text)}"
                faults.append(f"{variable.name} {fault}; give {variable.accepts} ({variable.meaning}).")
    return given, faults


def _find_access_faults(given: Mapping[str, Any], host: str, *, is_local: bool) -> list[str]:
    """Find faults of authentication: JWT settings that are incomplete, and an exposed port without authentication."""
    jwt = [f"GATEWAY_{name.upper()}" for name in ("jwt_issuer", "jwt_audience", "jwt_jwks") if name not in given]
    if 0 < len(jwt) < 3:  # noqa: PLR2004 - the three settings just named
        return [f"{' and '.join(jwt)} must be given too: a JWT is accepted by its issuer, audience and key."]
    if not is_local and jwt and "keys_file" not in given:
        fault = (
            f"--host {host} can be reached by other machines, and no authentication is configured. For API keys give "
            "GATEWAY_KEYS_FILE=keys.json, written by "
            "`gateway keys create NAME --scope transactions:read --file keys.json`; for JWTs give GATEWAY_JWT_ISSUER, "
            "GATEWAY_JWT_AUDIENCE and GATEWAY_JWT_JWKS; or use --host 127.0.0.1."
        )
        return [fault]
    return []


def _name_unknown(name: str, known: set[str]) -> str:
    # All names share a prefix: with a lower cutoff, any two would be close.
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
    return f"{name} is not a setting; " + (
        f"did you mean {near[0]}?" if near else f"the settings are {', '.join(sorted(known))}."
    )
