"""Validate the parts of a database address and parse MongoDB URIs. No fault message may contain a value."""

import ipaddress
import warnings
from collections.abc import Callable
from typing import Any

from pymongo.errors import PyMongoError
from pymongo.saslprep import saslprep
from pymongo.uri_parser import parse_uri as parse_driver_uri
from pymongo.uri_parser import split_options

SRV = "mongodb+srv://"
HIGHEST_PORT = 65535

# What the driver raises for a malformed URI; KeyError for an unknown value of some options.
_DRIVER_FAULTS = (PyMongoError, ValueError, TypeError, OSError, KeyError)
_SCHEMES = ("mongodb://", SRV)
_FORBIDDEN_IN_DATABASE = frozenset('/\\. "$*<>:|?\0')
_SERVERS_OWN_DATABASES = frozenset({"admin", "local", "config"})
_LONGEST_DATABASE = 63


def _find_username_fault(value: str) -> str | None:
    if not value:
        return "is empty"
    # Python decodes non-UTF-8 bytes of an environment variable to surrogates, which cannot be sent.
    return "is not UTF-8 text" if any("\ud800" <= char <= "\udfff" for char in value) else None


def _find_password_fault(value: str) -> str | None:
    if not value:
        return "is empty"
    try:
        saslprep(value)
    # PyMongo's saslprep raises IndexError if no character of the text remains.
    except (ValueError, IndexError):
        return "must be visible text that MongoDB's passwords can hold: no control character, no emoji"
    return None


def _find_host_fault(value: str) -> str | None:
    accepted = "a host name or an IP address, alone"
    if not value:
        return f"is empty; accepted: {accepted}"
    if "," in value:
        return f"must be {accepted}; several hosts need mongo_uri"
    if "://" in value:
        return f"must be {accepted}; a whole address goes into mongo_uri"
    try:
        ipaddress.ip_address(value.removeprefix("[").removesuffix("]"))
    except ValueError:
        if ":" in value:
            return f"must be {accepted}; the port goes into mongo_port"
        if any(char.isspace() or char in "/@?#[]%" or not char.isprintable() for char in value):
            return f"must be {accepted}"
    return None


def _find_port_fault(value: int) -> str | None:
    return None if 1 <= value <= HIGHEST_PORT else f"must be a whole number from 1 to {HIGHEST_PORT}"


def _find_database_fault(value: str) -> str | None:
    if not value:
        return "is empty"
    if len(value.encode(errors="replace")) > _LONGEST_DATABASE:
        return f"is longer than {_LONGEST_DATABASE} bytes"
    if _FORBIDDEN_IN_DATABASE.intersection(value) or not value.isprintable():
        return 'must have no space and none of / \\ . " $ * < > : | ?'
    if value.lower() in _SERVERS_OWN_DATABASES:
        return "must not be admin, local or config, which are the server's own"
    return None


def _find_uri_fault(value: str) -> str | None:
    if not value.startswith(_SCHEMES):
        return "must begin with mongodb:// or mongodb+srv://"
    try:
        parsed = parse_uri(value)
    except _DRIVER_FAULTS:
        # An @ after the first ? means that the ? belongs to an unescaped password, so no options follow it.
        if "@" not in value.partition("?")[2] and (bad := _find_bad_options(value)):
            return f"has options that are unknown or whose values are not accepted: {', '.join(bad)}"
        return (
            "must look like mongodb://user:password@host:port/database or mongodb+srv://user:password@name/database;"
            " special characters in user and password are escaped (@ as %40)"
        )
    if not parsed["database"]:
        return "must name the database in its path: mongodb://host:port/DATABASE"
    if parsed["collection"] is not None:
        return 'names a database with a "." in it'
    fault = _find_database_fault(parsed["database"])
    return fault and f"names a database that cannot be used: the name {fault}"


def _find_bad_options(uri: str) -> list[str]:
    """Return the names of the URI's options that are invalid on their own."""
    bad = []
    for pair in filter(None, uri.partition("?")[2].replace(";", "&").split("&")):
        try:
            split_options(pair, validate=True, warn=False)
        except _DRIVER_FAULTS:
            bad.append(pair.partition("=")[0])
    return bad


def parse_uri(uri: str) -> dict[str, Any]:
    """Parse a URI with PyMongo, without any DNS look-up: the name in a mongodb+srv URI is returned as `fqdn`."""
    if not uri.isprintable():
        raise ValueError("a URI has no line break and no control character")
    is_srv = uri.startswith(SRV)
    location, _, query = uri.removeprefix(SRV).partition("?")
    if is_srv:
        hosts = location.partition("/")[0].rpartition("@")[2]
        if "," in hosts or ":" in hosts:
            raise ValueError("a mongodb+srv URI has one name and no port")
        # The srv… options are valid in this scheme only and affect the look-up only.
        options = [pair for pair in query.split("&") if not pair.lower().startswith("srv")]
        uri = f"mongodb://{location}?{'&'.join(options)}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parsed: dict[str, Any] = parse_driver_uri(uri, validate=True, warn=False)
    if is_srv:
        parsed["fqdn"] = parsed["nodelist"][0][0]
    return parsed


def join_address(host: str, port: int | None) -> str:
    """Format a host and an optional port as `host:port`, an IPv6 address in brackets."""
    bare = host.removeprefix("[").removesuffix("]")
    shown = f"[{bare}]" if ":" in bare else bare
    return shown if port is None else f"{shown}:{port}"


def is_loopback(host: str) -> bool:
    """Return whether a host is a loopback address or `localhost`; nothing is looked up."""
    bare = host.removeprefix("[").removesuffix("]")
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return bare.lower().rstrip(".") == "localhost"


# Setting -> a function that returns what is wrong with a value, or None.
CHECKS: dict[str, Callable[[Any], str | None]] = {
    "mongo_username": _find_username_fault,
    "mongo_password": _find_password_fault,
    "mongo_host": _find_host_fault,
    "mongo_port": _find_port_fault,
    "mongo_database": _find_database_fault,
    "mongo_uri": _find_uri_fault,
}
