"""Who a request comes from, and whether that caller may ask this. What a key or a token is, it does not know."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from database.errors import ConfigurationError
from gateway.caller import ANONYMOUS, STRANGER, Caller
from gateway.caller import Scope as CallerScope
from gateway.client_address import describe_address
from gateway.errors import AuthenticationUnavailableError, ForbiddenError, KeysUnavailableError, UnauthenticatedError
from gateway.keys import KEY_PATTERN, KeyRing
from gateway.pages import is_page
from gateway.rate import Allowance, open_storage
from gateway.settings import JwtSettings, Settings

if TYPE_CHECKING:
    from gateway.tokens import TokenVerifier

# By the first segment of the path. What is in neither, and is no page, needs a caller, who is then told what there is.
PUBLIC: Final = frozenset({"health", "static", "errors", "openapi.json"})
SCOPES: Final = {
    "transactions": CallerScope.TRANSACTIONS_READ,
    "graphql": CallerScope.TRANSACTIONS_READ,
    "metrics": CallerScope.METRICS_READ,
}
_BEARER = "bearer "
# How long whoever listens may go on with credentials that have expired or were revoked meanwhile.
RECHECK_SECONDS = 30


class Authenticator:
    """Knows callers by API keys and by JWTs."""

    def __init__(self, settings: Settings) -> None:
        self._keys = KeyRing(settings.keys_file) if settings.keys_file else None
        self._tokens = _open_tokens(settings.jwt) if settings.jwt else None
        self._storage = open_storage(settings.rate_store)
        self._failures = Allowance(self._storage, "failed authentications", settings.failures_per_minute)

    async def identify(self, scope: Scope) -> Caller:
        """Give the caller by the headers of a request or a WebSocket.

        Raises:
            UnauthenticatedError: they do not say, or not truly.
            TooManyRequestsError: the same, and too often from this address. Who says truly is not held up: an address
                may be that of many.
            AuthenticationUnavailableError: what is said cannot be checked now.
        """
        try:
            caller = await self._find_caller(scope["headers"])
        except (ConfigurationError, KeysUnavailableError):
            # The reason is in the log.
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
            # Of several, another program on the way may have believed another one.
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
        """Let go of where failures are counted."""
        await self._storage.close()


def _open_tokens(jwt: JwtSettings) -> "TokenVerifier":
    from gateway.tokens import TokenVerifier  # noqa: PLC0415 - most gateways have no use for cryptography

    return TokenVerifier(jwt)


class AuthenticationMiddleware:
    """Notes the caller in the request's state, and lets through what that caller may ask.

    A WebSocket is let through unknown: browsers tell its credentials in a message. `identify` in the state gives the
    caller by the headers of a scope, for those messages, and for long answers, whose credentials may expire meanwhile.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._authenticator = None if settings.is_open else Authenticator(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, self._close_at_end(send))
            return
        state = scope.setdefault("state", {})
        # Whoever is turned away is somebody too, for the log.
        state["caller"] = ANONYMOUS if self._authenticator is None else STRANGER
        state["identify"] = self._identify
        if self._authenticator and scope["type"] == "http" and not is_public(scope):
            state["caller"] = await self._authenticator.identify(scope)
            check_scope(state["caller"], scope["path"])
        await self._app(scope, receive, send)

    async def _identify(self, scope: Scope) -> Caller:
        """Give the caller by a scope's headers, who may ask at its path; raises as `identify` and `check_scope` do."""
        if self._authenticator is None:
            return ANONYMOUS
        caller = await self._authenticator.identify(scope)
        check_scope(caller, scope["path"])
        return caller

    def _close_at_end(self, send: Send) -> Send:
        async def send_at_end(message: Message) -> None:
            # What is done after this message, the process does not wait for.
            if self._authenticator and message["type"].startswith("lifespan.shutdown"):
                await self._authenticator.close()
            await send(message)

        return send_at_end


async def check_caller(scope: Scope) -> None:
    """Return where a scope's credentials still stand for the caller that its state names, or nobody can tell now.

    Raises:
        UnauthenticatedError, ForbiddenError, TooManyRequestsError: they do not.
    """
    try:
        is_same = await scope["state"]["identify"](scope) == scope["state"]["caller"]
    except AuthenticationUnavailableError:
        return
    if not is_same:
        raise UnauthenticatedError("The credentials no longer stand for the same caller; connect again.")


def is_public(scope: Scope) -> bool:
    """Whether anyone may ask: for what holds no transactions, and for the pages that ask for them."""
    return is_page(scope) or _find_segment(scope["path"]) in PUBLIC


def check_scope(caller: Caller, path: str) -> None:
    """Return where a caller may ask at a path.

    Raises:
        ForbiddenError: a scope is missing.
    """
    needed = SCOPES.get(_find_segment(path))
    if needed is not None and needed not in caller.scopes:
        raise ForbiddenError(needed)


def _find_segment(path: str) -> str:
    return path[1:].partition("/")[0]
