"""Identifies a request's caller and checks whether that caller may use the path.

It must not know the formats of keys and tokens, which are those of gateway/keys.py and gateway/tokens.py.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from database.errors import ConfigurationError
from gateway.caller import ANONYMOUS, UNAUTHENTICATED, Caller
from gateway.caller import Scope as CallerScope
from gateway.client_address import describe_address
from gateway.errors import AuthenticationUnavailableError, ForbiddenError, KeysUnavailableError, UnauthenticatedError
from gateway.keys import KEY_PATTERN, KeyRing
from gateway.pages import is_page
from gateway.rate import Allowance, open_storage
from gateway.settings import JwtSettings, Settings

if TYPE_CHECKING:
    from gateway.tokens import TokenVerifier

# By the first segment of the path. Any other path, unless it is a page's, needs a caller but no scope: its response is
# the 404 that lists the paths.
PUBLIC: Final = frozenset({"health", "static", "errors", "openapi.json"})
SCOPES: Final = {
    "transactions": CallerScope.TRANSACTIONS_READ,
    "graphql": CallerScope.TRANSACTIONS_READ,
    "metrics": CallerScope.METRICS_READ,
}
_BEARER = "bearer "
# How long a subscriber may continue with credentials that have since expired or been revoked.
RECHECK_SECONDS = 30


class Authenticator:
    """Identifies callers by API key or JWT."""

    def __init__(self, settings: Settings) -> None:
        self._keys = KeyRing(settings.keys_file) if settings.keys_file else None
        self._tokens = _open_tokens(settings.jwt) if settings.jwt else None
        self._storage = open_storage(settings.rate_store)
        self._failures = Allowance(self._storage, "failed authentications", settings.failures_per_minute)

    async def identify(self, scope: Scope) -> Caller:
        """Return the caller that the headers of a request or WebSocket identify.

        Raises:
            UnauthenticatedError: the credentials are missing or invalid.
            TooManyRequestsError: the same, and too many failures came from this address. Valid credentials are never
                limited here: many callers may share an address.
            AuthenticationUnavailableError: the credentials cannot be checked at the moment.
        """
        try:
            caller = await self._find_caller(scope["headers"])
        except (ConfigurationError, KeysUnavailableError):
            # The reason has been logged.
            raise AuthenticationUnavailableError(
                "The credentials cannot be checked at the moment; try again later."
            ) from None
        if caller is None:
            await self._failures.take(describe_address(scope))
            raise UnauthenticatedError(
                "This needs valid credentials: send an API key or a JWT as `Authorization: Bearer …`."
            )
        return caller

    async def _find_caller(self, headers: Iterable[tuple[bytes, bytes]]) -> Caller | None:
        given = [(name, value.decode("latin-1")) for name, value in headers if name in {b"authorization", b"x-api-key"}]
        if len(given) != 1:
            # With several, a proxy on the way may have checked a different one.
            return None
        name, text = given[0]
        if name == b"authorization":
            if text[: len(_BEARER)].lower() != _BEARER:
                return None
            text = text[len(_BEARER) :].strip(" ")
        if KEY_PATTERN.fullmatch(text):
            return self._keys.find_caller(text) if self._keys else None
        if self._tokens and name == b"authorization":
            return await self._tokens.find_caller(text)
        return None

    async def close(self) -> None:
        """Close the storage of failure counts."""
        await self._storage.close()


def _open_tokens(jwt: JwtSettings) -> "TokenVerifier":
    from gateway.tokens import TokenVerifier  # noqa: PLC0415 - most gateways do not need the cryptography package

    return TokenVerifier(jwt)


class AuthenticationMiddleware:
    """Stores the caller in the request's state, and lets the request through if the caller may make it.

    A WebSocket passes unauthenticated: browsers send its credentials in a message. `identify` in the state returns the
    caller for a scope's headers: for those messages, and for long responses whose credentials may expire meanwhile.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._authenticator = None if settings.is_open else Authenticator(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, self._close_at_end(send))
            return
        state = scope.setdefault("state", {})
        # A rejected caller also needs a name in the log.
        state["caller"] = ANONYMOUS if self._authenticator is None else UNAUTHENTICATED
        state["identify"] = self._identify
        if self._authenticator and scope["type"] == "http" and not is_public(scope):
            state["caller"] = await self._authenticator.identify(scope)
            check_scope(state["caller"], scope["path"])
        await self._app(scope, receive, send)

    async def _identify(self, scope: Scope) -> Caller:
        """Return the caller, authorised for the scope's path; raises as `Authenticator.identify` and `check_scope`."""
        if self._authenticator is None:
            return ANONYMOUS
        caller = await self._authenticator.identify(scope)
        check_scope(caller, scope["path"])
        return caller

    def _close_at_end(self, send: Send) -> Send:
        async def send_at_end(message: Message) -> None:
            # The process does not wait for anything done after this message.
            if self._authenticator and message["type"].startswith("lifespan.shutdown"):
                await self._authenticator.close()
            await send(message)

        return send_at_end


async def check_caller(scope: Scope) -> None:
    """Check that a scope's credentials still identify the caller in its state; passes if this cannot be checked now.

    Raises:
        UnauthenticatedError, ForbiddenError, TooManyRequestsError: they no longer do.
    """
    try:
        is_same = await scope["state"]["identify"](scope) == scope["state"]["caller"]
    except AuthenticationUnavailableError:
        return
    if not is_same:
        raise UnauthenticatedError("The credentials no longer stand for the same caller; connect again.")


def is_public(scope: Scope) -> bool:
    """Whether the path needs no credentials: it serves no transactions, or is a page that requests them itself."""
    return is_page(scope) or _find_segment(scope["path"]) in PUBLIC


def check_scope(caller: Caller, path: str) -> None:
    """Check that a caller may use a path.

    Raises:
        ForbiddenError: the caller lacks the path's scope.
    """
    needed = SCOPES.get(_find_segment(path))
    if needed is not None and needed not in caller.scopes:
        raise ForbiddenError(needed)


def _find_segment(path: str) -> str:
    return path[1:].partition("/")[0]
