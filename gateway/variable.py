"""The GATEWAY_… variables: each with its default, accepted values and purpose."""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from schema.limits import Limits

PREFIX = "GATEWAY_"


@dataclass(frozen=True, slots=True)
class Variable:
    """A GATEWAY_… variable (docs/settings.md says the same).

    Attributes:
        name: the variable's name.
        default: the value without the variable, as the documentation states it.
        accepts: which values are accepted, in words.
        meaning: what it is for.
        read: converts a text that is not empty; raises ValueError if it is not accepted.
        is_secret: whether the value may contain a secret, so that errors must not quote it.
    """

    name: str
    default: str
    accepts: str
    meaning: str
    read: Callable[[str], Any]
    is_secret: bool = False


def _number(name: str, default: int | str, least: int, most: int, meaning: str) -> Variable:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text) or not least <= int(text) <= most:
            raise ValueError
        return int(text)

    return Variable(name, str(default), f"a whole number from {least} to {most}", meaning, read)


def _choice(name: str, default: str, choices: tuple[str, ...], meaning: str) -> Variable:
    def read(text: str) -> str:
        if text not in choices:
            raise ValueError
        return text

    return Variable(name, default, " or ".join(choices), meaning, read)


def _read_origin(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or text != f"{parts.scheme}://{parts.netloc}":
        raise ValueError
    return text.lower()


def _read_network(text: str) -> str:
    return str(ipaddress.ip_network(text))


def _read_list(read_one: Callable[[str], str]) -> Callable[[str], tuple[str, ...]]:
    return lambda text: tuple(read_one(part.strip()) for part in text.split(","))


def _read_key_source(text: str) -> str:
    if "://" in text and not text.startswith("https://"):
        raise ValueError
    return text


def _read_store(text: str) -> str:
    if not text.startswith(("redis://", "rediss://")):
        raise ValueError
    return text


def _read_store_file(text: str) -> str:
    try:
        return _read_store(Path(text).read_text(encoding="utf-8").strip())
    except OSError:
        raise ValueError from None


_BY_EXPOSURE = "{} on loopback, {} elsewhere"
_NONE = "none"

VARIABLES = (
    Variable("GATEWAY_KEYS_FILE", _NONE, "a file", "the API keys' hashes, as `gateway keys` writes them", Path),
    Variable("GATEWAY_JWT_ISSUER", _NONE, "a string", "the `iss` that a JWT must have", str),
    Variable("GATEWAY_JWT_AUDIENCE", _NONE, "a string", "the `aud` that a JWT must have", str),
    Variable(
        "GATEWAY_JWT_JWKS", _NONE, "an https:// URL or a file", "the issuer's public keys (RFC 7517)", _read_key_source
    ),
    _number("GATEWAY_JWT_LEEWAY_SECONDS", 30, 0, 300, "largest difference between the issuer's clock and this one, s"),
    _number(
        "GATEWAY_REQUESTS_PER_MINUTE",
        _BY_EXPOSURE.format(0, 6_000),
        0,
        10_000_000,
        "most requests of one caller (key, JWT subject or address) in a minute, 0 for no limit",
    ),
    _number("GATEWAY_FAILURES_PER_MINUTE", 20, 1, 10_000, "most failed authentications of one address in a minute"),
    Variable(
        "GATEWAY_RATE_STORE",
        "none: each worker counts for itself",
        "a redis:// or rediss:// URL",
        "where all workers and replicas count requests together",
        _read_store,
        is_secret=True,
    ),
    Variable(
        "GATEWAY_RATE_STORE_FILE",
        _NONE,
        "a file with a redis:// or rediss:// URL",
        "what `GATEWAY_RATE_STORE` would be, so that no variable holds a password",
        _read_store_file,
    ),
    Variable(
        "GATEWAY_TRUSTED_PROXIES",
        _NONE,
        "addresses or networks, separated by commas",
        "proxies whose X-Forwarded-For and X-Forwarded-Proto are believed",
        _read_list(_read_network),
    ),
    Variable(
        "GATEWAY_CORS_ORIGINS",
        _NONE,
        "origins such as https://app.example, separated by commas",
        "sites whose pages may read answers",
        _read_list(_read_origin),
    ),
    _choice(
        "GATEWAY_INTROSPECTION",
        _BY_EXPOSURE.format("on", "off"),
        ("on", "off"),
        "whether GraphQL shows its schema, when asked and in errors' suggestions",
    ),
    Variable("GATEWAY_TRUSTED_DOCUMENTS", _NONE, "a file", "a manifest of the only documents that are answered", Path),
    _number("GATEWAY_MAX_BODY_BYTES", 100_000, 1_000, 10_000_000, "largest body of a GraphQL request, bytes"),
    _number("GATEWAY_MAX_DOCUMENT_BYTES", Limits().document_bytes, 100, 1_000_000, "longest GraphQL document, bytes"),
    _number("GATEWAY_MAX_TOKENS", Limits().tokens, 10, 100_000, "longest GraphQL document, tokens"),
    _number("GATEWAY_MAX_DEPTH", Limits().depth, 4, 100, "deepest nesting of fields in a GraphQL operation"),
    _number("GATEWAY_MAX_ALIASES", Limits().aliases, 0, 1_000, "most aliases in a GraphQL operation"),
    _number("GATEWAY_MAX_DIRECTIVES", Limits().directives, 0, 1_000, "most directives in a GraphQL document"),
    _number("GATEWAY_MAX_ROWS", Limits().rows, 1, 1_000_000, "most rows that a GraphQL operation may ask for"),
    _number("GATEWAY_MAX_CONCURRENT", 4, 1, 1_000, "most requests that a worker handles at a time; others wait"),
    _number(
        "GATEWAY_DATABASE_TIMEOUT_MS",
        10_000,
        1,
        600_000,
        "longest work of the database on one page or count, ms; a summary may take three times as long",
    ),
    _choice(
        "GATEWAY_COUNT_ROLLUPS",
        "on",
        ("on", "off"),
        "whether each worker keeps counts by card and hour in memory, built when it starts",
    ),
    _number(
        "GATEWAY_MAX_SUBSCRIPTIONS",
        100,
        1,
        1_000_000,
        "most live streams of one caller (key, JWT subject or address) at a worker",
    ),
    _number(
        "GATEWAY_REQUEST_TIMEOUT_MS",
        30_000,
        100,
        600_000,
        "longest wait for a request's body, for the start of its answer, and between two parts of it, ms",
    ),
    _number("GATEWAY_DRAIN_SECONDS", 10, 0, 600, "how long requests in flight may take when the gateway stops, s"),
    _choice("GATEWAY_LOG_FORMAT", "text on a terminal, json elsewhere", ("text", "json"), "the format of log lines"),
    _choice(
        "GATEWAY_LOG_LEVEL",
        "info",
        ("info", "warning", "error"),
        "the lowest level that is logged; info has a line for each request",
    ),
    _number(
        "GATEWAY_SLOW_QUERY_MS",
        1_000,
        1,
        600_000,
        "a database command that takes this long or longer is logged with its plan, ms",
    ),
    _choice(
        "GATEWAY_TRACING", "off", ("on", "off"), "whether OpenTelemetry traces are sent, as the OTEL_… variables say"
    ),
)
