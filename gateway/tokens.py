"""JWTs of one issuer (RFC 7519, RFC 8725, RFC 9068): the keys that verify them, and the caller that one identifies."""

import asyncio
import hashlib
import json
import logging
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import jwt
from jwt.types import Options

from database.errors import ConfigurationError, hide_secrets
from gateway.caller import Caller, Scope
from gateway.errors import KeysUnavailableError
from gateway.settings import JwtSettings
from gateway.watched_file import WatchedFile

logger = logging.getLogger(__name__)

# Asymmetric ones only: nobody can sign with the public key, which everybody has (RFC 8725, sections 2.1 and 3.1).
ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})
_OPTIONS: Options = {"require": ["exp", "iss", "aud", "sub"], "enforce_minimum_key_length": True}
_PLAIN_SUBJECT = re.compile(r"[!-~]{1,128}")
# The errors that a malformed key set, which other programs wrote, may raise.
_BROKEN = (jwt.PyJWTError, ValueError, TypeError, AttributeError, RecursionError)

# A key set older than this is fetched again in the background, while it is still used.
FRESH_SECONDS = 300
# Fetches are at least this far apart, whatever keys tokens name and however fetches fail.
PAUSE_SECONDS = 5
_FETCH_SECONDS = 5

# By id and algorithm (RFC 7517): a token can use a key only with the key's own algorithm.
KeySet: TypeAlias = Mapping[tuple[str | None, str], jwt.PyJWK]


class KeySource(Protocol):
    async def find_key(self, key_id: str | None, algorithm: str) -> jwt.PyJWK | None:
        """Return the issuer's key with this id and algorithm, or None.

        Raises:
            KeysUnavailableError: the issuer's keys are not known.
        """


class TokenVerifier:
    """Accepts the tokens of one issuer that are meant for this gateway."""

    def __init__(self, settings: JwtSettings) -> None:
        self._settings = settings
        self._keys: KeySource = _UrlKeys(settings.jwks) if settings.is_url else _FileKeys(Path(settings.jwks))

    async def find_caller(self, text: str) -> Caller | None:
        """Return the caller that a token identifies; None if the token is not valid now.

        Raises:
            KeysUnavailableError: the issuer's keys are not known.
        """
        try:
            header = jwt.get_unverified_header(text)
            algorithm = header.get("alg")
            if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
                return None
            key = await self._keys.find_key(header.get("kid"), algorithm)
            if key is None:
                return None
            claims = jwt.decode(
                text,
                key,
                [algorithm],
                _OPTIONS,
                audience=self._settings.audience,
                issuer=self._settings.issuer,
                leeway=self._settings.leeway_seconds,
            )
        except (jwt.PyJWTError, ValueError):
            return None
        return Caller(_name_subject(claims["sub"]), _read_scopes(claims))


def _name_subject(subject: str) -> str:
    """Return a name for logs and limits: the subject, or its hash if it is not safe to log."""
    is_fit = _PLAIN_SUBJECT.fullmatch(subject) and hide_secrets(subject) == subject
    return f"jwt:{subject if is_fit else hashlib.sha256(subject.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def _read_scopes(claims: Mapping[str, Any]) -> frozenset[Scope]:
    """Return the gateway's scopes in `scope` (RFC 8693, section 4.2) and `scp`: strings or lists, by issuer."""
    words: set[object] = set()
    for name in ("scope", "scp"):
        value = claims.get(name)
        words.update(value.split() if isinstance(value, str) else map(str, value) if isinstance(value, list) else ())
    return frozenset(scope for scope in Scope if scope.value in words)


def load_key_set(path: Path) -> KeySet:
    """Load the keys of a file.

    Raises:
        ConfigurationError: it cannot be read, or holds no usable key.
    """
    try:
        return _build_key_set(jwt.PyJWKSet.from_dict(json.loads(path.read_text("utf-8"))))
    except OSError as error:
        raise ConfigurationError(f"The key set {path} cannot be read: {error.strerror}.") from None
    except _BROKEN:
        raise ConfigurationError(
            f"{path} is not a JSON Web Key Set (RFC 7517) with a public key of {', '.join(sorted(ALGORITHMS))}."
        ) from None


def _build_key_set(keys: jwt.PyJWKSet) -> KeySet:
    usable = {
        (key.key_id, key.algorithm_name): key
        for key in keys
        if key.algorithm_name in ALGORITHMS
        and key.public_key_use in {None, "sig"}
        # No private keys: anyone who reads one can sign with it, and an RSA one cannot verify.
        and not hasattr(key.key, "private_bytes")
    }
    if not usable:
        raise ValueError
    return usable


class _FileKeys:
    """The keys in a file's current content."""

    def __init__(self, path: Path) -> None:
        self._file = WatchedFile(path, load_key_set)

    async def find_key(self, key_id: str | None, algorithm: str) -> jwt.PyJWK | None:
        try:
            return self._file.read().get((key_id, algorithm))
        except ConfigurationError:
            raise KeysUnavailableError from None


class _UrlKeys:
    """The keys that an issuer publishes; the last ones fetched are used as long as it cannot be reached."""

    def __init__(self, url: str) -> None:
        # It follows no redirects. Its cache is off: this class also spaces out fetches that fail.
        self._client = jwt.PyJWKClient(url, cache_jwk_set=False, timeout=_FETCH_SECONDS)
        self._keys: KeySet = {}
        self._fetched = self._fetch_began = -float("inf")
        self._fetching: asyncio.Task[None] | None = None

    async def find_key(self, key_id: str | None, algorithm: str) -> jwt.PyJWK | None:
        wanted = (key_id, algorithm)
        if wanted not in self._keys:
            # The issuer may have started to sign with a new key.
            if fetching := self._refresh():
                # A caller that disconnects must not cancel it for the others.
                await asyncio.shield(fetching)
        elif time.monotonic() - self._fetched > FRESH_SECONDS:
            self._refresh()
        if not self._keys:
            raise KeysUnavailableError
        return self._keys.get(wanted)

    def _refresh(self) -> asyncio.Task[None] | None:
        """Start a fetch, or return the one under way; None if the last one was too recent."""
        if self._fetching is None and time.monotonic() - self._fetch_began >= PAUSE_SECONDS:
            self._fetching = asyncio.create_task(self._fetch())
        return self._fetching

    async def _fetch(self) -> None:
        self._fetch_began = time.monotonic()
        try:
            async with asyncio.timeout(_FETCH_SECONDS):
                keys = _build_key_set(await asyncio.to_thread(self._client.get_jwk_set))
        except (*_BROKEN, OSError) as error:
            logger.warning("the issuer's keys cannot be fetched (%s); those known are used", type(error).__name__)
        else:
            self._keys, self._fetched = keys, time.monotonic()
        finally:
            self._fetching = None
