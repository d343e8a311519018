"""API keys: their format, the file of their hashes, and the caller that a key identifies. It prints nothing.

A secret has 256 random bits, so SHA-256 alone protects it: NIST SP 800-63B, section 5.1.2.2, requires salt and a slow
hash only below 112 bits. Reading the file reveals no key.
"""

import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from database.errors import ConfigurationError, quote_value
from gateway.caller import Caller, Scope
from gateway.watched_file import WatchedFile

# A unique prefix for secret scanners, the id, the secret. The id is too short to be taken for a card number, which logs
# would mask.
KEY_PATTERN = re.compile(r"txgw_([0-9a-f]{8})_([0-9a-f]{64})")
_VERSION = 1
_LONGEST_NAME = 64
# What a key whose id does not exist is compared with.
_NO_HASH = "0" * 64


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as the file stores it.

    Attributes:
        id: its public part.
        name: its owner or purpose, as its creator wrote it.
        scopes: what it allows.
        created: in UTC.
        expires: in UTC; None for never.
        sha256: the hash of the whole key, in hexadecimal digits.
    """

    id: str
    name: str
    scopes: frozenset[Scope]
    created: datetime
    expires: datetime | None
    sha256: str = field(repr=False)

    def has_expired(self, now: datetime) -> bool:
        return self.expires is not None and self.expires <= now


class KeyRing:
    """The accepted keys: those in the file's current content."""

    def __init__(self, path: Path) -> None:
        self._file = WatchedFile(path, _load_callers)

    def find_caller(self, text: str) -> Caller | None:
        """Return the caller that a key identifies; None if it is not an accepted key.

        Raises:
            ConfigurationError: the file is broken, so that no key can be checked.
        """
        known = self._file.read()
        match = KEY_PATTERN.fullmatch(text)
        if match is None:
            return None
        key, caller = known.get(match[1], (None, None))
        # Always one hash and one constant-time comparison: the duration reveals neither an id nor a part of a hash.
        is_same = hmac.compare_digest(_hash(text), key.sha256 if key else _NO_HASH)
        if key is None or not is_same or key.has_expired(datetime.now(UTC)):
            return None
        return caller


def _load_callers(path: Path) -> Mapping[str, tuple[ApiKey, Caller]]:
    return {key.id: (key, Caller(f"key:{key.id}", key.scopes)) for key in load_keys(path)}


def load_keys(path: Path) -> list[ApiKey]:
    """Load the keys of a file, oldest first; a file that does not exist holds none.

    Raises:
        ConfigurationError: it cannot be read, or is not a file of keys.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigurationError(f"The keys of {path} cannot be read: {reason}.") from None
    try:
        return _parse_keys(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ConfigurationError(
            f"{path} is not a file of keys as `gateway keys create` writes it; restore it, or remove it and create "
            "the keys again."
        ) from None


def _parse_keys(content: Mapping[str, Any]) -> list[ApiKey]:
    keys = [_parse_key(given) for given in content["keys"]]
    if content["version"] != _VERSION or len({key.id for key in keys}) != len(keys):
        raise ValueError
    return keys


def _parse_key(given: Mapping[str, Any]) -> ApiKey:
    expires = given["expires"]
    key = ApiKey(
        id=given["id"],
        name=given["name"],
        scopes=frozenset(Scope(scope) for scope in given["scopes"]),
        created=datetime.fromisoformat(given["created"]),
        expires=None if expires is None else datetime.fromisoformat(expires),
        sha256=given["sha256"],
    )
    is_whole = re.fullmatch(r"[0-9a-f]{8} [0-9a-f]{64}", f"{key.id} {key.sha256}") and isinstance(key.name, str)
    # A time without a zone cannot be compared with the current time.
    if not is_whole or any(time is not None and time.tzinfo is None for time in (key.created, key.expires)):
        raise ValueError
    return key


def create_key(
    path: Path, name: str, scopes: frozenset[Scope], lifetime: timedelta | None = None
) -> tuple[ApiKey, str]:
    """Add a new key to a file, creating the file if needed; return the key as stored, and its text, kept nowhere.

    Raises:
        ConfigurationError: the name or lifetime is not valid, or the file cannot be read or written.
    """
    if not name.isprintable() or not 0 < len(name) <= _LONGEST_NAME:
        raise ConfigurationError(
            f"The name {quote_value(name)} cannot be used; give 1 to {_LONGEST_NAME} printable characters."
        )
    created = datetime.now(UTC).replace(microsecond=0)
    try:
        expires = created + lifetime if lifetime else None
    except OverflowError:
        raise ConfigurationError("The key would expire after the year 9999; give a shorter time, or none.") from None
    with _changed_keys(path) as keys:
        key_id = secrets.token_hex(4)
        while any(key_id == key.id for key in keys):
            key_id = secrets.token_hex(4)
        text = f"txgw_{key_id}_{secrets.token_hex(32)}"
        key = ApiKey(key_id, name, scopes, created, expires, _hash(text))
        keys.append(key)
    return key, text


def revoke_key(path: Path, key_id: str) -> ApiKey:
    """Remove a key from a file and return it; running gateways reject it within a second.

    Raises:
        ConfigurationError: the file holds no such key, or cannot be read or written.
    """
    with _changed_keys(path) as keys:
        for key in keys:
            if key.id == key_id:
                keys.remove(key)
                return key
        raise ConfigurationError(
            f"{path} holds no key of the id {quote_value(key_id)}; `gateway keys list` shows the ids."
        )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def _changed_keys(path: Path) -> Iterator[list[ApiKey]]:
    """Yield a file's keys for changes, then write them; other processes that change them wait meanwhile."""
    # A symbolic link is kept, and its target replaced.
    path = path.resolve()
    try:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            # Locks the folder: the file is replaced, and a lock file would be left behind.
            fcntl.flock(folder, fcntl.LOCK_EX)
            keys = load_keys(path)
            yield keys
            _replace(path, _render(keys))
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise ConfigurationError(f"The keys of {path} cannot be written: {error.strerror}.") from None


def _render(keys: list[ApiKey]) -> str:
    described = [
        {
            "id": key.id,
            "name": key.name,
            "scopes": sorted(key.scopes),
            "created": key.created.isoformat(),
            "expires": key.expires.isoformat() if key.expires else None,
            "sha256": key.sha256,
        }
        for key in keys
    ]
    return json.dumps({"version": _VERSION, "keys": described}, indent=2, ensure_ascii=False) + "\n"


def _replace(path: Path, text: str) -> None:
    """Replace a file atomically, keeping its mode and owner; only the writer can read a new one."""
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            with suppress(FileNotFoundError):
                before = path.stat()
                # The gateway may run as another user, such as in a container, and must still be able to read it.
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
                os.fchmod(file.fileno(), before.st_mode & 0o777)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
