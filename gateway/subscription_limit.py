"""Limits how many live streams a caller may hold open at a worker, by REST and GraphQL together. It only counts."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import Scope

from gateway.client_address import name_client
from gateway.errors import TooManySubscriptionsError


class SubscriptionLimit:
    """Counts the live streams of one worker by caller, or by address for anonymous callers."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[str] = Counter()

    @contextmanager
    def hold(self, scope: Scope) -> Iterator[None]:
        """Count a stream of a request's or WebSocket's caller for the duration of the block.

        Raises:
            TooManySubscriptionsError: the caller already has the maximum number open.
        """
        name = name_client(scope)
        if self._open[name] >= self._most:
            raise TooManySubscriptionsError(
                f"At most {self._most} live streams of one caller are open at a worker; close one that is not read."
            )
        self._open[name] += 1
        try:
            yield
        finally:
            self._open[name] -= 1
            if not self._open[name]:
                del self._open[name]
