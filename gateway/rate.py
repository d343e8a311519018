"""Limits how often a caller may send requests. It counts; gateway/authentication.py has already identified the caller.

Counts live in this process, or in a Redis that workers and replicas share. Only hashes of names are stored.
"""

import asyncio
import hashlib
import logging
import math
import time
from collections.abc import Coroutine
from functools import partial
from typing import Any, TypeAlias, TypeVar

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from database.errors import ConfigurationError
from gateway.client_address import name_client
from gateway.errors import TooManyRequestsError
from gateway.metrics import count_shed
from gateway.pages import is_page
from gateway.path import STATIC_PATH
from gateway.settings import Settings

logger = logging.getLogger(__name__)

_MINUTE = 60
_SWEEP_SECONDS = 1.0
# A nearby Redis responds in under 1 ms. No request may wait for one that is unreachable.
_STORE_SECONDS = 0.1
_STORE_PAUSE_SECONDS = 1.0
_STORE_CONNECTIONS = 1_000

_Answer = TypeVar("_Answer")
# The previous minute's count and how long it still weighs, s; this minute's count and how long it is kept, s.
Window: TypeAlias = tuple[int, float, int, float]


class LocalStorage(MemoryStorage):
    """Counts in this process's memory."""

    def __init__(self) -> None:
        super().__init__()
        self._swept_at = 0.0

    async def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count, and drop expired entries once a second: on each count, as the library does, 10,000 would cost 1 ms."""
        now = time.time()
        if now > self._swept_at + _SWEEP_SECONDS:
            self._swept_at = now
            for old in [name for name, end in self.expirations.items() if end <= now]:
                self.storage.pop(old, None)
                del self.expirations[old]
        self.storage[key] += amount
        self.expirations.setdefault(key, now + expiry)
        return self.storage[key]

    async def close(self) -> None:
        """Do nothing: there is no connection to close."""


class SharedStorage(RedisStorage):
    """Counts in a Redis. While it is unreachable or slow, counts in this process, and retries it once a second."""

    def __init__(self, url: str) -> None:
        # The package is optional.
        from redis.asyncio import ConnectionPool  # noqa: PLC0415
        from redis.asyncio.retry import Retry  # noqa: PLC0415
        from redis.backoff import NoBackoff  # noqa: PLC0415
        from redis.exceptions import RedisError  # noqa: PLC0415

        # One retry: connections that were open when Redis restarted fail once.
        self._pool = ConnectionPool.from_url(url, max_connections=_STORE_CONNECTIONS, retry=Retry(NoBackoff(), 1))
        try:
            # This does not connect; it rejects a URL with which every request would fail.
            self._pool.make_connection()  # type: ignore[no-untyped-call]  # the library has no annotation here
        except (RedisError, TypeError):
            raise ValueError from None
        super().__init__(
            # The pool has the address; the library's own URL parser requires a port and accepts fewer forms.
            "async+redis://",
            implementation="redispy",
            key_prefix="gateway",
            connection_pool=self._pool,  # type: ignore[arg-type]  # allowed by the docstring, missing in the annotation
        )
        self._failures = (RedisError, OSError)
        self._local = LocalStorage()
        self._is_away = False
        self._next_try = 0.0

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        return await self._try_shared(
            super().acquire_sliding_window_entry(key, limit, expiry, amount),
            self._local.acquire_sliding_window_entry(key, limit, expiry, amount),
        )

    async def get_sliding_window(self, key: str, expiry: int) -> Window:
        return await self._try_shared(
            super().get_sliding_window(key, expiry),
            self._local.get_sliding_window(key, expiry),
        )

    async def _try_shared(self, shared: Coroutine[Any, Any, _Answer], local: Coroutine[Any, Any, _Answer]) -> _Answer:
        try:
            if time.monotonic() >= self._next_try:
                if self._is_away:
                    # Only this request probes Redis; the others do not wait for it.
                    self._next_try = time.monotonic() + _STORE_PAUSE_SECONDS
                try:
                    async with asyncio.timeout(_STORE_SECONDS):
                        answer = await shared
                except self._failures as error:
                    self._note_away(error)
                else:
                    self._note_back()
                    return answer
            return await local
        finally:
            shared.close()
            local.close()

    def _note_away(self, error: Exception) -> None:
        self._next_try = time.monotonic() + _STORE_PAUSE_SECONDS
        if not self._is_away:
            self._is_away = True
            # Not the error's text, which may contain the address with its password.
            logger.warning("GATEWAY_RATE_STORE is away (%s): each worker counts for itself", type(error).__name__)

    def _note_back(self) -> None:
        self._next_try = 0.0
        if self._is_away:
            self._is_away = False
            logger.warning("GATEWAY_RATE_STORE is back: workers and replicas count together")

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.aclose()


def open_storage(rate_store: str | None) -> LocalStorage | SharedStorage:
    """Open the storage of counts: a Redis by its URL, or this process's memory; it connects on first use.

    Raises:
        ConfigurationError: the URL cannot be used, or the Redis package is not installed.
    """
    if rate_store is None:
        return LocalStorage()
    try:
        return SharedStorage(rate_store)
    except ModuleNotFoundError:
        message = "GATEWAY_RATE_STORE needs the extra redis: pip install '.[redis]' in the gateway's repository."
        raise ConfigurationError(message) from None
    except ValueError:
        # The URL may contain a password.
        raise ConfigurationError("GATEWAY_RATE_STORE is no URL of a Redis; give redis://host:6379/0.") from None


class Allowance:
    """Limits how often an event may occur for one name in any minute."""

    def __init__(self, storage: LocalStorage | SharedStorage, what: str, per_minute: int) -> None:
        """Count in a storage under a namespace of its own: `what`, a plural such as `requests`."""
        self._storage = storage
        self._what = what
        self._limiter = SlidingWindowCounterRateLimiter(storage)
        self._item = RateLimitItemPerMinute(per_minute, namespace=what)

    async def take(self, name: str) -> None:
        """Count one event.

        Raises:
            TooManyRequestsError: the minute's allowance is used up; this event is not counted.
        """
        digest = _hash_name(name)
        if not await self._limiter.hit(self._item, digest):
            count_shed(self._what.replace(" ", "_"))
            raise self._build_error(await self._get_window(digest))

    async def _get_window(self, digest: str) -> Window:
        return await self._storage.get_sliding_window(self._item.key_for(digest), _MINUTE)

    def _build_error(self, window: Window) -> TooManyRequestsError:
        seconds = compute_wait(window, self._item.amount) or 1
        return TooManyRequestsError(
            f"At most {self._item.amount} {self._what} are taken in a minute; try again in {seconds} s.", seconds
        )


class RateLimitMiddleware:
    """Rejects requests beyond a caller's number per minute. Probes, metrics, pages and their files are not counted.

    A WebSocket's handshake counts as a request; its handler counts each operation with `count_request` in the state.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._storage = open_storage(settings.rate_store if settings.requests_per_minute else None)
        self._requests = Allowance(self._storage, "requests", settings.requests_per_minute or 1)
        self._is_limiting = settings.requests_per_minute > 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            if not _is_free(scope):
                await self._count(scope)
            scope["state"]["count_request"] = partial(self._count, scope)
            await self._app(scope, receive, send)
            return

        async def close_at_end(message: Message) -> None:
            # The process does not wait for anything done after this message.
            if message["type"].startswith("lifespan.shutdown"):
                await self._storage.close()
            await send(message)

        await self._app(scope, receive, close_at_end)

    async def _count(self, scope: Scope) -> None:
        """Count a request by the scope's caller."""
        if self._is_limiting:
            await self._requests.take(name_client(scope))


def _is_free(scope: Scope) -> bool:
    path: str = scope["path"]
    return is_page(scope) or path == "/metrics" or path.startswith(("/health/", STATIC_PATH))


def _hash_name(name: str) -> str:
    return hashlib.blake2b(name.encode(errors="replace"), digest_size=16).hexdigest()


def compute_wait(window: Window, limit: int) -> int:
    """Return after how many whole seconds one more event is within the limit if no other is counted; 0 means now.

    The previous window is weighted by the part of it that lies within the last minute.
    """
    before, weighs, current, kept = window
    if before * weighs / _MINUTE + current < limit:
        return 0
    if current < limit:
        seconds = weighs - _MINUTE * (limit - current) / before
    else:
        seconds = kept - _MINUTE + max(0.0, _MINUTE * (1 - limit / current))
    return math.floor(seconds) + 1
