"""How many live streams a caller may hold open at a worker, by whichever style. It counts, and knows no stream."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import Scope

from gateway.caller import ANONYMOUS
from gateway.errors import TooManySubscriptionsError
from gateway.rate import describe_address


class SubscriptionLimit:
    """The live streams of one worker, by caller; whoever is anonymous counts by address."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[str] = Counter()

    @contextmanager
    def hold(self, scope: Scope) -> Iterator[None]:
        """Count a stream of a request's or WebSocket's caller for the time of the block.

        Raises:
            TooManySubscriptionsError: the caller has as many as are allowed.
        """
        caller = scope["state"]["caller"].name
        name = caller if caller != ANONYMOUS.name else f"{caller} {describe_address(scope)}"
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
